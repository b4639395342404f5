#include "bin/lockstepd_log.h"

#include <poll.h>
#include <spdlog/async.h>
#include <spdlog/sinks/base_sink.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>

namespace lockstep::log {
namespace {

// How long the writing thread waits for a reader of stderr before it gives a line up.
constexpr int kPatienceMs = 100;

int64_t UnixMicroseconds() {
  return std::chrono::duration_cast<std::chrono::microseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

// On spdlog's thread. A line of at most a page goes into a pipe that poll calls writable without
// waiting (pipe(7)); so a reader that has stopped costs lines, never time.
class DescriptorSink : public spdlog::sinks::base_sink<std::mutex> {
 public:
  DescriptorSink(int fd, bool json) : fd_(fd), json_(json) {}

  // What spdlog's queue has overrun, to be told by this sink.
  void set_overruns(std::function<uint64_t()> overruns) { overruns_ = std::move(overruns); }
  uint64_t dropped() const { return unwritten_.load(std::memory_order_relaxed); }

 protected:
  void sink_it_(const spdlog::details::log_msg& message) override {
    TellDrops();
    if (!WriteLine(std::string(message.payload.data(), message.payload.size()))) {
      unwritten_.fetch_add(1, std::memory_order_relaxed);
    }
  }
  void flush_() override {}

 private:
  void TellDrops() {
    const uint64_t dropped = unwritten_.load(std::memory_order_relaxed) + overruns_();
    if (dropped <= told_) return;
    const Field fields[] = {{"dropped", dropped - told_}};
    if (WriteLine(FormatLine(json_, UnixMicroseconds(), Level::kWarn, "log",
                             "lines were dropped: more were logged than could be written",
                             fields))) {
      told_ = dropped;
    }
  }

  bool WriteLine(std::string line) {
    line.push_back('\n');
    pollfd ready = {.fd = fd_, .events = POLLOUT, .revents = 0};
    const int patience = stuck_ ? 0 : kPatienceMs;
    stuck_ = ::poll(&ready, 1, patience) != 1 || (ready.revents & POLLOUT) == 0;
    if (stuck_) return false;
    return ::write(fd_, line.data(), line.size()) == static_cast<ssize_t>(line.size());
  }

  const int fd_;
  const bool json_;
  std::function<uint64_t()> overruns_ = [] { return uint64_t{0}; };
  std::atomic<uint64_t> unwritten_{0};
  uint64_t told_ = 0;
  bool stuck_ = false;  // nobody read the last time: then the next lines do not wait
};

// All of a running log. Readers hold a reference while they use it, so that Stop may come at any
// time.
struct Running {
  Settings settings;
  std::shared_ptr<spdlog::details::thread_pool> pool;
  std::shared_ptr<DescriptorSink> sink;
  std::shared_ptr<spdlog::async_logger> logger;
};

std::atomic<uint64_t>& DroppedBefore() {
  static std::atomic<uint64_t> dropped{0};
  return dropped;
}

std::mutex& Guard() {
  static std::mutex guard;
  return guard;
}
std::shared_ptr<Running>& Current() {
  static std::shared_ptr<Running> running;
  return running;
}

std::shared_ptr<Running> Get() {
  const std::lock_guard<std::mutex> lock(Guard());
  return Current();
}

// What the queue dropped plus what could not be written.
uint64_t DroppedBy(const Running& running) {
  return running.sink->dropped() + running.pool->overrun_counter();
}

bool EnabledIn(const Settings& settings, Level level, absl::string_view part) {
  if (level == Level::kOff) return false;
  const auto own = settings.levels.find(std::string(part));
  return level >= (own == settings.levels.end() ? settings.level : own->second);
}

spdlog::level::level_enum SpdlogLevel(Level level) {
  return static_cast<spdlog::level::level_enum>(level);
}

}  // namespace

void Start(const Settings& settings) {
  Stop();
  auto running = std::make_shared<Running>();
  running->settings = settings;
  running->pool = std::make_shared<spdlog::details::thread_pool>(settings.lines_max, 1);
  running->sink = std::make_shared<DescriptorSink>(settings.fd, settings.json);
  // Not a shared pointer: the pool's own thread asks, and were it the last to let go of the pool,
  // the pool would wait there for its own thread. The pool outlives its thread.
  running->sink->set_overruns([pool = running->pool.get()] { return pool->overrun_counter(); });
  running->logger = std::make_shared<spdlog::async_logger>(
      "lockstepd", running->sink, running->pool, spdlog::async_overflow_policy::overrun_oldest);
  running->logger->set_level(spdlog::level::trace);
  const std::lock_guard<std::mutex> lock(Guard());
  Current() = std::move(running);
}

void Stop() {
  std::shared_ptr<Running> running;
  {
    const std::lock_guard<std::mutex> lock(Guard());
    running = std::exchange(Current(), nullptr);
  }
  if (running == nullptr) return;
  // Whoever is just logging still holds it, for as long as it takes to format a line. Then it is
  // ours alone, and ends here.
  while (running.use_count() > 1) std::this_thread::yield();
  // The pool's destructor waits for its thread, which writes what is in the queue; a sink that
  // finds no reader waits once and then gives up line by line.
  const std::shared_ptr<DescriptorSink> sink = running->sink;
  DroppedBefore() += running->pool->overrun_counter();
  running.reset();
  DroppedBefore() += sink->dropped();
}

bool Enabled(Level level, absl::string_view part) {
  const std::shared_ptr<Running> running = Get();
  return running != nullptr && EnabledIn(running->settings, level, part);
}

void Write(Level level, absl::string_view part, absl::string_view message, Fields fields) {
  const std::shared_ptr<Running> running = Get();
  if (running == nullptr || !EnabledIn(running->settings, level, part)) return;
  const std::string line =
      FormatLine(running->settings.json, UnixMicroseconds(), level, part, message, fields);
  running->logger->log(SpdlogLevel(level), spdlog::string_view_t(line.data(), line.size()));
}

uint64_t Dropped() {
  const std::shared_ptr<Running> running = Get();
  return DroppedBefore() + (running == nullptr ? 0 : DroppedBy(*running));
}

}  // namespace lockstep::log
