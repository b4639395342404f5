// The Protobuf wire format for hot messages: written in one pass into one buffer, read without
// copying. The .proto files stay the definition; tests/unit/raft/codec_test.cc holds the two
// together.
#ifndef LOCKSTEP_CORE_PROTO_WIRE_H_
#define LOCKSTEP_CORE_PROTO_WIRE_H_

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "absl/strings/string_view.h"
#include "core/base/bytes.h"
#include "core/base/check.h"
#include "core/base/parcel.h"

namespace lockstep::wire {

inline size_t VarintSize(uint64_t value) {
  return (static_cast<size_t>(std::bit_width(value | 1)) + 6) / 7;
}

// A message is described once, as a function of a sink: Fields(const T&, auto& sink). Zero and
// empty fields are left out, as proto3 does. SizeSink measures, WriteSink writes.
class SizeSink {
 public:
  size_t size() const { return size_; }
  void Number(uint32_t field, uint64_t value) {
    if (value != 0) size_ += VarintSize(uint64_t{field} << 3) + VarintSize(value);
  }
  void Text(uint32_t field, absl::string_view text) {
    if (!text.empty()) Sized(field, text.size());
  }
  // A sub-message, present even when it is empty.
  template <class Fill>
  void Message(uint32_t field, Fill fill) {
    SizeSink inner;
    fill(inner);
    Sized(field, inner.size());
  }

 private:
  void Sized(uint32_t field, size_t length) {
    size_ += VarintSize(uint64_t{field} << 3) + VarintSize(length) + length;
  }
  size_t size_ = 0;
};

// REQUIRES: as much room behind `to` as SizeSink measured. With `stop`, the text that would begin
// there is left out: it must be the last thing of the message.
class WriteSink {
 public:
  explicit WriteSink(char* to, const char* stop = nullptr) : to_(to), stop_(stop) {}
  const char* end() const { return to_; }
  void Number(uint32_t field, uint64_t value) {
    if (value == 0) return;
    Varint(uint64_t{field} << 3);
    Varint(value);
  }
  void Text(uint32_t field, absl::string_view text) {
    if (text.empty()) return;
    Varint((uint64_t{field} << 3) | 2);
    Varint(text.size());
    if (to_ == stop_) return;
    std::memcpy(to_, text.data(), text.size());
    to_ += text.size();
  }
  template <class Fill>
  void Message(uint32_t field, Fill fill) {
    SizeSink inner;
    fill(inner);
    Varint((uint64_t{field} << 3) | 2);
    Varint(inner.size());
    fill(*this);
  }

 private:
  void Varint(uint64_t value) {
    for (; value >= 0x80; value >>= 7) *to_++ = static_cast<char>(value | 0x80);
    *to_++ = static_cast<char>(value);
  }
  char* to_;
  const char* stop_;
};

// What `fields` describes to a sink, in one piece.
template <class Fields>
Bytes Encode(const Fields& fields) {
  SizeSink size;
  fields(size);
  return Bytes::Make(size.size(), [&](char* to) {
    WriteSink sink(to);
    fields(sink);
    CheckEq(sink.end(), static_cast<const char*>(to + size.size()));
  });
}

// The same in two pieces if it ends with a large text: `last`, which is not copied then.
template <class Fields>
Parcel EncodeParcel(const Fields& fields, const Bytes& last) {
  if (last.size() < kTailBytesMin) return {Encode(fields), Bytes()};
  SizeSink size;
  fields(size);
  const size_t head = size.size() - last.size();
  return {Bytes::Make(head,
                      [&](char* to) {
                        WriteSink sink(to, to + head);
                        fields(sink);
                        CheckEq(sink.end(), static_cast<const char*>(to + head));
                      }),
          last};
}

// Walks the fields of one message. Unknown fields are the caller's to ignore; groups are refused.
//   Reader reader(text);
//   while (reader.Next()) switch (reader.field()) { case 1: a = reader.number(); ... }
//   if (!reader.ok()) malformed.
class Reader {
 public:
  explicit Reader(absl::string_view text) : at_(text.data()), end_(text.data() + text.size()) {}

  // False at the end and when the text is malformed.
  bool Next() {
    number_ = 0;
    text_ = absl::string_view();
    if (at_ == end_) return false;
    uint64_t tag;
    if (!Varint(&tag) || (tag >> 3) == 0 || (tag >> 3) > 0x1FFFFFFF) return Malformed();
    field_ = static_cast<uint32_t>(tag >> 3);
    type_ = static_cast<uint32_t>(tag & 7);
    switch (tag & 7) {
      case 0:
        return Varint(&number_) || Malformed();
      case 1:
        return Skip(8) || Malformed();
      case 2: {
        uint64_t length;
        const bool fits = Varint(&length) && length <= static_cast<uint64_t>(end_ - at_);
        if (!fits) return Malformed();
        text_ = absl::string_view(at_, length);
        at_ += length;
        return true;
      }
      case 5:
        return Skip(4) || Malformed();
      default:
        return Malformed();
    }
  }
  bool ok() const { return ok_; }
  uint32_t field() const { return field_; }
  bool is_number() const { return type_ == 0; }     // a varint
  uint64_t number() const { return number_; }       // 0 unless it is one
  bool is_text() const { return type_ == 2; }       // length-delimited
  absl::string_view text() const { return text_; }  // empty unless it is

 private:
  bool Malformed() {
    ok_ = false;
    at_ = end_;
    return false;
  }
  bool Skip(ptrdiff_t bytes) {
    if (end_ - at_ < bytes) return false;
    at_ += bytes;
    return true;
  }
  bool Varint(uint64_t* value) {
    *value = 0;
    for (int shift = 0; shift < 64 && at_ != end_; shift += 7) {
      const uint64_t byte = static_cast<unsigned char>(*at_++);
      *value |= (byte & 0x7F) << shift;
      if (byte < 0x80) return true;
    }
    return false;
  }

  const char* at_;
  const char* end_;
  bool ok_ = true;
  uint32_t type_ = 0;
  uint32_t field_ = 0;
  uint64_t number_ = 0;
  absl::string_view text_;
};

}  // namespace lockstep::wire

#endif  // LOCKSTEP_CORE_PROTO_WIRE_H_
