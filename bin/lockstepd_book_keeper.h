// Keeps the address book in the data directory, so that a restart needs no seed, and a node that
// lost its data is known for what it is.
#ifndef LOCKSTEP_BIN_LOCKSTEPD_BOOK_KEEPER_H_
#define LOCKSTEP_BIN_LOCKSTEPD_BOOK_KEEPER_H_

#include <condition_variable>
#include <mutex>
#include <thread>

#include "bin/lockstepd_identity.h"
#include "net/address_book.h"
#include "net/uv_host.h"

namespace lockstep::lockstepd {

// What the directory remembers, into the book. Before the host runs.
void Recall(const PeerBook& peers, uint64_t self, net::AddressBook* book);

// Looks every second whether the book has changed, and writes it on a thread of its own.
class BookKeeper {
 public:
  // All outlive it, and the host's loop runs until it is gone.
  BookKeeper(net::UvHost& host, net::AddressBook& book, PeerBook& peers);
  ~BookKeeper();
  BookKeeper(const BookKeeper&) = delete;
  BookKeeper& operator=(const BookKeeper&) = delete;

 private:
  void Run();
  void Save();

  net::UvHost& host_;
  net::AddressBook& book_;
  PeerBook& peers_;
  std::mutex mutex_;
  std::condition_variable stop_;
  bool stopped_ = false;  // guarded by mutex_
  bool again_ = false;    // what was told last may not have been saved; the thread's own
  std::thread thread_;
};

}  // namespace lockstep::lockstepd

#endif  // LOCKSTEP_BIN_LOCKSTEPD_BOOK_KEEPER_H_
