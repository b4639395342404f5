// The life of gRPC's library.
#ifndef LOCKSTEP_NET_CLIENT_GRPC_LIBRARY_H_
#define LOCKSTEP_NET_CLIENT_GRPC_LIBRARY_H_

namespace lockstep::client {

// From now on gRPC is not shut down before the process ends. Its last user would wait for its
// threads, one of which looks after a write that did not go through at once for ten seconds (the
// backup poller of its TCP sockets): so long a node that had just sent a large value took to stop,
// and a command to come back to the shell. Thread-safe.
void KeepGrpc();

// What gRPC itself has to say goes there from now on, whatever thread says it, instead of to
// stderr; null: nowhere. Unless the variable GRPC_VERBOSITY asks for it. For programs, before they
// use gRPC.
using GrpcLog = void (*)(const char* text);
void TakeGrpcLog(GrpcLog log);

}  // namespace lockstep::client

#endif  // LOCKSTEP_NET_CLIENT_GRPC_LIBRARY_H_
