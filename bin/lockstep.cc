// lockstep: the command line of a cluster. See --help.
#include <csignal>
#include <iostream>

#include "bin/lockstep_commands.h"
#include "net/client/grpc_library.h"

int main(int argc, char** argv) {
  // A reader that has gone is an error of the stream, not the end of the process.
  std::signal(SIGPIPE, SIG_IGN);
  // What is wrong with a connection the command itself says.
  lockstep::client::TakeGrpcLog(nullptr);
  std::ios::sync_with_stdio(false);
  return lockstep::bin::RunCommandLine(argc, argv, std::cin, std::cout, std::cerr,
                                       lockstep::bin::OpenApi);
}
