#include "net/client/store.h"

#include <utility>

#include "net/client/engine.h"
#include "net/client/operations.h"
#include "net/client/waiting.h"

namespace lockstep::client {
namespace {

template <class T>
using Answer = absl::StatusOr<T> (*)(Outcome);

template <class T>
void Start(Engine* engine, Operation operation, const CallOptions& options, Answer<T> answer,
           Callback<T> done) {
  const Instant deadline = After(options.timeout.value_or(engine->options().timeout));
  engine->Submit(std::move(operation), deadline,
                 [answer, done = std::move(done)](Outcome outcome) mutable {
                   done(answer(std::move(outcome)));
                 });
}

Consistency ConsistencyOf(const Engine& engine, const CallOptions& options) {
  return options.consistency.value_or(engine.options().consistency);
}

absl::StatusOr<ListPage> KeysAnswer(Outcome outcome) {
  absl::StatusOr<ListPage> page = ListAnswer(std::move(outcome));
  if (!page.ok()) return page;
  for (KeyValue& pair : page->pairs) pair.value.clear();
  return page;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Store>> Store::Open(StoreOptions options) {
  const absl::Status valid = ValidateStoreOptions(options);
  if (!valid.ok()) return valid;
  return std::unique_ptr<Store>(new Store(std::make_unique<Engine>(std::move(options))));
}

Store::Store(std::unique_ptr<Engine> engine) : engine_(std::move(engine)) {}
Store::~Store() = default;

absl::Status Store::WaitReady(Duration timeout) { return engine_->WaitReady(timeout); }
void Store::Close(Duration patience) { engine_->Close(patience); }
uint64_t Store::unfinished() const { return engine_->unfinished(); }

void Store::GetAsync(std::string key, Callback<GetResult> done, CallOptions options) {
  Start(engine_.get(), GetOf(std::move(key), ConsistencyOf(*engine_, options)), options, &GetAnswer,
        std::move(done));
}

void Store::GetManyAsync(std::vector<std::string> keys, Callback<GetManyResult> done,
                         CallOptions options) {
  Start(engine_.get(), GetManyOf(std::move(keys), ConsistencyOf(*engine_, options)), options,
        &GetManyAnswer, std::move(done));
}

void Store::PutAsync(std::string key, std::string value, Callback<WriteResult> done,
                     CallOptions options) {
  Start(engine_.get(), CommandOf(Write::Put(std::move(key), std::move(value))), options,
        &WriteAnswer, std::move(done));
}

void Store::AppendAsync(std::string key, std::string value, Callback<WriteResult> done,
                        CallOptions options) {
  Start(engine_.get(), CommandOf(Write::Append(std::move(key), std::move(value))), options,
        &WriteAnswer, std::move(done));
}

void Store::DeleteAsync(std::string key, Callback<WriteResult> done, CallOptions options) {
  Start(engine_.get(), CommandOf(Write::Delete(std::move(key))), options, &WriteAnswer,
        std::move(done));
}

void Store::CompareAndSwapAsync(std::string key, std::optional<std::string> expected,
                                std::optional<std::string> value, Callback<SwapResult> done,
                                CallOptions options) {
  Start(engine_.get(),
        CommandOf(Write::CompareAndSwap(std::move(key), std::move(expected), std::move(value))),
        options, &SwapAnswer, std::move(done));
}

void Store::ListAsync(ListOptions list, Callback<ListPage> done, CallOptions options) {
  const Answer<ListPage> answer = list.keys_only ? &KeysAnswer : &ListAnswer;
  Start(engine_.get(), ListOf(std::move(list), ConsistencyOf(*engine_, options)), options, answer,
        std::move(done));
}

void Store::BatchAsync(std::vector<Write> writes, Callback<BatchResult> done, CallOptions options) {
  Start(engine_.get(), BatchOf(std::move(writes)), options, &BatchAnswer, std::move(done));
}

void Store::BulkAsync(std::vector<Write> writes, Callback<std::vector<WriteOutcome>> done,
                      CallOptions options) {
  Start(engine_.get(), BulkOf(std::move(writes)), options, &BulkAnswer, std::move(done));
}

// --- The same, waiting

absl::StatusOr<GetResult> Store::Get(std::string key, CallOptions options) {
  return WaitFor<GetResult>(*engine_, [&](Callback<GetResult> done) {
    GetAsync(std::move(key), std::move(done), options);
  });
}

absl::StatusOr<GetManyResult> Store::GetMany(std::vector<std::string> keys, CallOptions options) {
  return WaitFor<GetManyResult>(*engine_, [&](Callback<GetManyResult> done) {
    GetManyAsync(std::move(keys), std::move(done), options);
  });
}

absl::StatusOr<WriteResult> Store::Put(std::string key, std::string value, CallOptions options) {
  return WaitFor<WriteResult>(*engine_, [&](Callback<WriteResult> done) {
    PutAsync(std::move(key), std::move(value), std::move(done), options);
  });
}

absl::StatusOr<WriteResult> Store::Append(std::string key, std::string value, CallOptions options) {
  return WaitFor<WriteResult>(*engine_, [&](Callback<WriteResult> done) {
    AppendAsync(std::move(key), std::move(value), std::move(done), options);
  });
}

absl::StatusOr<WriteResult> Store::Delete(std::string key, CallOptions options) {
  return WaitFor<WriteResult>(*engine_, [&](Callback<WriteResult> done) {
    DeleteAsync(std::move(key), std::move(done), options);
  });
}

absl::StatusOr<SwapResult> Store::CompareAndSwap(std::string key,
                                                 std::optional<std::string> expected,
                                                 std::optional<std::string> value,
                                                 CallOptions options) {
  return WaitFor<SwapResult>(*engine_, [&](Callback<SwapResult> done) {
    CompareAndSwapAsync(std::move(key), std::move(expected), std::move(value), std::move(done),
                        options);
  });
}

absl::StatusOr<ListPage> Store::List(ListOptions list, CallOptions options) {
  return WaitFor<ListPage>(*engine_, [&](Callback<ListPage> done) {
    ListAsync(std::move(list), std::move(done), options);
  });
}

absl::StatusOr<BatchResult> Store::Batch(std::vector<Write> writes, CallOptions options) {
  return WaitFor<BatchResult>(*engine_, [&](Callback<BatchResult> done) {
    BatchAsync(std::move(writes), std::move(done), options);
  });
}

absl::StatusOr<std::vector<WriteOutcome>> Store::Bulk(std::vector<Write> writes,
                                                      CallOptions options) {
  return WaitFor<std::vector<WriteOutcome>>(
      *engine_, [&](Callback<std::vector<WriteOutcome>> done) {
        BulkAsync(std::move(writes), std::move(done), options);
      });
}

}  // namespace lockstep::client
