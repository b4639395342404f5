// An immutable, shared run of bytes. An entry is encoded once; the log, every peer and the state
// machine share that one buffer. Copying a Bytes costs one reference count; slices keep the whole
// buffer alive.
//
// Thread-safe in the way of a shared_ptr<const T>: distinct Bytes may be used by different threads
// even when they share a buffer (the production host hands them to its storage threads).
#ifndef LOCKSTEP_CORE_BASE_BYTES_H_
#define LOCKSTEP_CORE_BASE_BYTES_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <new>
#include <ostream>
#include <utility>

#include "absl/strings/string_view.h"
#include "core/base/check.h"

namespace lockstep {

class Bytes {
 public:
  Bytes() = default;
  // Shares the buffer.
  Bytes(const Bytes& other) noexcept
      : buffer_(other.buffer_), data_(other.data_), size_(other.size_) {
    Retain();
  }
  // Leaves the other empty.
  Bytes(Bytes&& other) noexcept
      : buffer_(std::exchange(other.buffer_, nullptr)),
        data_(std::exchange(other.data_, nullptr)),
        size_(std::exchange(other.size_, 0)) {}
  // Shares or takes over the other's buffer, as it was handed over.
  Bytes& operator=(Bytes other) noexcept {
    std::swap(buffer_, other.buffer_);
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    return *this;
  }
  ~Bytes() { Release(); }

  // A buffer of their own for these bytes.
  static Bytes Copy(absl::string_view text) {
    return Make(text.size(), [&](char* to) {
      if (!text.empty()) std::memcpy(to, text.data(), text.size());
    });
  }

  // Allocates `size` bytes and lets `fill(char*)` write them, once, before anybody can see them.
  template <class Fill>
  static Bytes Make(size_t size, Fill&& fill) {
    Bytes bytes;
    bytes.buffer_ = Buffer::Allocate(size);
    bytes.data_ = bytes.buffer_->data();
    bytes.size_ = size;
    fill(bytes.buffer_->data());
    return bytes;
  }

  // Valid while this or a copy of it lives; so is data().
  absl::string_view view() const { return absl::string_view(data_, size_); }
  const char* data() const { return data_; }  // the first byte; nullptr if there never was a buffer
  size_t size() const { return size_; }       // bytes
  bool empty() const { return size_ == 0; }   // size() is 0

  // A part that shares this buffer. REQUIRES: offset + length <= size().
  Bytes Slice(size_t offset, size_t length) const {
    CheckLe(offset, size_);
    CheckLe(length, size_ - offset);
    Bytes part = *this;
    part.data_ += offset;
    part.size_ = length;
    return part;
  }

  friend bool operator==(const Bytes& a, const Bytes& b) { return a.view() == b.view(); }
  friend std::ostream& operator<<(std::ostream& os, const Bytes& bytes) {
    return os << bytes.view();
  }

 private:
  // A reference count with the bytes behind it in one allocation.
  struct Buffer {
    std::atomic<uint32_t> references{1};
    char* data() { return reinterpret_cast<char*>(this + 1); }
    static Buffer* Allocate(size_t size) {
      return new (::operator new(sizeof(Buffer) + size)) Buffer;
    }
  };

  void Retain() const {
    if (buffer_ != nullptr) buffer_->references.fetch_add(1, std::memory_order_relaxed);
  }
  void Release() {
    if (buffer_ == nullptr) return;
    if (buffer_->references.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
    buffer_->~Buffer();
    ::operator delete(buffer_);
  }

  Buffer* buffer_ = nullptr;
  const char* data_ = nullptr;
  size_t size_ = 0;
};

}  // namespace lockstep

#endif  // LOCKSTEP_CORE_BASE_BYTES_H_
