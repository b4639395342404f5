// An HTTP server that does what a test tells it, request by request: for what a real one never does
// when it is asked to.
#ifndef LOCKSTEP_TESTS_UNIT_BIN_SCRIPTED_SERVER_H_
#define LOCKSTEP_TESTS_UNIT_BIN_SCRIPTED_SERVER_H_

#include <atomic>
#include <cstddef>
#include <string>
#include <thread>
#include <vector>

namespace lockstep {

class ScriptedServer {
 public:
  enum class Step {
    kAnswer,   // 200 to a write, and the connection is kept
    kHangUp,   // takes the whole request and closes
    kSilence,  // takes the whole request and says nothing
    kDie,      // takes the whole request and closes; from then on connections are refused
  };
  enum class Listening { kNo, kYes };

  // After the last step every request is answered. kNo: holds the port, and connections are
  // refused.
  explicit ScriptedServer(std::vector<Step> steps, Listening listening = Listening::kYes);
  ~ScriptedServer();
  ScriptedServer(const ScriptedServer&) = delete;
  ScriptedServer& operator=(const ScriptedServer&) = delete;

  const std::string& address() const { return address_; }
  // That were received whole.
  size_t requests() const { return requests_; }

 private:
  void Run();
  void Serve(int connection);
  bool ReceiveRequest(int connection, std::string* received);

  const std::vector<Step> steps_;
  std::string address_;
  int listener_ = -1;
  std::atomic<int> connection_ = -1;
  std::atomic<size_t> requests_ = 0;
  std::atomic<bool> stopped_ = false;
  std::thread thread_;
};

}  // namespace lockstep

#endif  // LOCKSTEP_TESTS_UNIT_BIN_SCRIPTED_SERVER_H_
