// get, put, append, delete, cas, list.
#include <CLI/CLI.hpp>
#include <cstdint>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "bin/lockstep_commands.h"
#include "bin/lockstep_input.h"
#include "bin/lockstep_text.h"
#include "bin/lockstep_values.h"
#include "core/base/limits.h"

namespace lockstep::bin {
namespace {

using nlohmann::ordered_json;

constexpr const char* kArguments =
    "KEY and VALUE may be - (all of stdin) or @FILE (all of a file; @@ for an @).";

// What stays alive from the declaration of a command to its run.
struct DataOptions {
  std::vector<std::string> arguments;
  EncodingOptions encodings;
  bool no_newline = false;
  std::string output;
  bool missing = false;
  bool remove = false;
  std::string prefix;
  std::string start;
  std::string limit;
  bool keys_only = false;
};
using Options = std::shared_ptr<DataOptions>;

std::string Shown(absl::string_view bytes, Encoding encoding) {
  return encoding == Encoding::kPlain ? Escaped(bytes) : Encode(bytes, encoding);
}

// The bytes of one argument; false: told, and `exit` set.
bool Read(Shell& shell, const DataOptions& options, size_t i, std::string& bytes, Exit& exit) {
  absl::StatusOr<std::string> read =
      ReadArgument(options.arguments[i], options.encodings.input(), shell.in());
  if (read.ok()) {
    bytes = *std::move(read);
    return true;
  }
  const bool usage = absl::IsInvalidArgument(read.status());
  exit = shell.Fail(usage ? Exit::kUsage : Exit::kFile, std::string(read.status().message()));
  return false;
}

void LabelStale(Shell& shell, bool stale) {
  if (stale && !shell.json()) shell.err() << "lockstep: stale: possibly old, as was asked for\n";
}

template <class Response>
Exit TellWritten(Shell& shell, const std::string& what, const absl::StatusOr<Response>& response) {
  if (!response.ok()) return shell.Fail(what, response.status());
  if (shell.json()) {
    ordered_json json = {
        {"ok", true}, {"version", response->version()}, {"replayed", response->replayed()}};
    shell.out() << Line(json) << "\n";
  } else {
    shell.out() << "OK\n";
  }
  shell.Note(
      absl::StrCat("version ", response->version(), response->replayed() ? ", replayed" : ""));
  return Exit::kOk;
}

Exit WriteFileOrOut(Shell& shell, const DataOptions& options, const std::string& value) {
  if (options.output.empty()) {
    shell.out() << Encode(value, options.encodings.output());
    if (!options.no_newline) shell.out() << "\n";
    return Exit::kOk;
  }
  std::ofstream file(options.output, std::ios::binary);
  file << Encode(value, options.encodings.output());
  file.close();
  if (!file) return shell.Fail(Exit::kFile, absl::StrCat(options.output, " cannot be written"));
  return Exit::kOk;
}

Exit GetOne(Shell& shell, const DataOptions& options, const std::string& key) {
  Exit exit;
  Api* api = shell.Connect(exit);
  if (api == nullptr) return exit;
  v1::GetRequest request;
  request.set_key(key);
  request.set_consistency(shell.consistency());
  const absl::StatusOr<v1::GetResponse> response = api->Get(request);
  if (!response.ok()) return shell.Fail("get", response.status());
  if (shell.json() && options.output.empty()) {
    ordered_json json;
    SetBytes(json, "key", key, options.encodings.output());
    json["found"] = response->found();
    if (response->found()) SetBytes(json, "value", response->value(), options.encodings.output());
    json["version"] = response->version();
    json["stale"] = response->stale();
    shell.out() << Line(json) << "\n";
    return response->found() ? Exit::kOk : Exit::kConflict;
  }
  LabelStale(shell, response->stale());
  if (!response->found()) {
    return shell.Fail(Exit::kConflict, absl::StrCat("get: there is no key ", Escaped(key)));
  }
  return WriteFileOrOut(shell, options, response->value());
}

void TellPair(Shell& shell, const v1::Pair& pair, Encoding encoding, bool keys_only) {
  if (shell.json()) {
    ordered_json json;
    SetBytes(json, "key", pair.key(), encoding);
    if (!keys_only) SetBytes(json, "value", pair.value(), encoding);
    shell.out() << Line(json) << "\n";
  } else {
    shell.out() << Shown(pair.key(), encoding);
    if (!keys_only) shell.out() << "\t" << Shown(pair.value(), encoding);
    shell.out() << "\n";
  }
}

Exit GetSeveral(Shell& shell, const DataOptions& options, const std::vector<std::string>& keys) {
  Exit exit;
  Api* api = shell.Connect(exit);
  if (api == nullptr) return exit;
  v1::GetManyRequest request;
  for (const std::string& key : keys) request.add_keys(key);
  request.set_consistency(shell.consistency());
  const absl::StatusOr<v1::GetManyResponse> response = api->GetMany(request);
  if (!response.ok()) return shell.Fail("get", response.status());
  LabelStale(shell, response->stale());
  for (const v1::Pair& pair : response->pairs()) {
    TellPair(shell, pair, options.encodings.output(), /*keys_only=*/false);
  }
  const size_t missing = keys.size() - static_cast<size_t>(response->pairs_size());
  if (missing == 0) return Exit::kOk;
  return shell.Fail(Exit::kConflict,
                    absl::StrCat("get: ", missing, " of ", keys.size(), " keys are not there"));
}

Exit RunGet(Shell& shell, const DataOptions& options) {
  std::vector<std::string> keys(options.arguments.size());
  for (size_t i = 0; i < keys.size(); ++i) {
    Exit exit;
    if (!Read(shell, options, i, keys[i], exit)) return exit;
  }
  return keys.size() == 1 ? GetOne(shell, options, keys[0]) : GetSeveral(shell, options, keys);
}

Exit RunPut(Shell& shell, const DataOptions& options, bool append) {
  std::string key;
  std::string value;
  Exit exit;
  if (!Read(shell, options, 0, key, exit) || !Read(shell, options, 1, value, exit)) return exit;
  Api* api = shell.Connect(exit);
  if (api == nullptr) return exit;
  if (append) {
    v1::AppendRequest request;
    request.set_key(std::move(key));
    request.set_value(std::move(value));
    return TellWritten(shell, "append", api->Append(request));
  }
  v1::PutRequest request;
  request.set_key(std::move(key));
  request.set_value(std::move(value));
  return TellWritten(shell, "put", api->Put(request));
}

Exit RunDelete(Shell& shell, const DataOptions& options) {
  Exit worst = Exit::kOk;
  for (size_t i = 0; i < options.arguments.size(); ++i) {
    v1::DeleteRequest request;
    Exit exit;
    if (!Read(shell, options, i, *request.mutable_key(), exit)) return exit;
    Api* api = shell.Connect(exit);
    if (api == nullptr) return exit;
    worst = Worse(worst, TellWritten(shell, "delete", api->Delete(request)));
  }
  return worst;
}

Exit TellSwapped(Shell& shell, const DataOptions& options,
                 const v1::CompareAndSwapResponse& response) {
  const Encoding encoding = options.encodings.output();
  if (shell.json()) {
    ordered_json json = {{"swapped", response.swapped()},
                         {"version", response.version()},
                         {"replayed", response.replayed()}};
    if (response.has_actual()) SetBytes(json, "actual", response.actual(), encoding);
    if (response.actual_omitted()) json["actual_omitted"] = true;
    shell.out() << Line(json) << "\n";
  } else if (response.swapped()) {
    shell.out() << "OK\n";
  } else {
    const std::string actual =
        response.has_actual() ? absl::StrCat("the value is ", Shown(response.actual(), encoding))
        : response.actual_omitted() ? "the value is another"
                                    : "there is no such key";
    return shell.Fail(Exit::kConflict, absl::StrCat("cas: not swapped: ", actual));
  }
  return response.swapped() ? Exit::kOk : Exit::kConflict;
}

Exit RunCas(Shell& shell, const DataOptions& options) {
  const size_t want = 1u + (options.missing ? 0u : 1u) + (options.remove ? 0u : 1u);
  if (options.arguments.size() != want) {
    return shell.Fail(Exit::kUsage,
                      "cas: give KEY EXPECTED VALUE, without EXPECTED where it is --missing, "
                      "without VALUE where it is to be --delete (--help says more)");
  }
  v1::CompareAndSwapRequest request;
  Exit exit;
  if (!Read(shell, options, 0, *request.mutable_key(), exit)) return exit;
  if (!options.missing && !Read(shell, options, 1, *request.mutable_expected(), exit)) return exit;
  if (!options.remove && !Read(shell, options, want - 1, *request.mutable_value(), exit)) {
    return exit;
  }
  Api* api = shell.Connect(exit);
  if (api == nullptr) return exit;
  const absl::StatusOr<v1::CompareAndSwapResponse> response = api->CompareAndSwap(request);
  if (!response.ok()) return shell.Fail("cas", response.status());
  return TellSwapped(shell, options, *response);
}

Exit RunList(Shell& shell, const DataOptions& options) {
  const absl::StatusOr<std::string> prefix = Decode(options.prefix, options.encodings.input());
  const absl::StatusOr<std::string> start = Decode(options.start, options.encodings.input());
  if (!prefix.ok()) return shell.Fail(Exit::kUsage, std::string(prefix.status().message()));
  if (!start.ok()) return shell.Fail(Exit::kUsage, std::string(start.status().message()));
  Exit exit;
  Api* api = shell.Connect(exit);
  if (api == nullptr) return exit;
  v1::ListRequest request;
  request.set_prefix(*prefix);
  request.set_start(*start);
  request.set_keys_only(options.keys_only);
  request.set_consistency(shell.consistency());
  uint64_t left =
      options.limit.empty() ? UINT64_MAX : ParseNumber("--limit", options.limit, 1, UINT64_MAX);
  bool told = false;
  do {
    request.set_limit(std::min<uint64_t>(left, kListPairsMax));
    const absl::StatusOr<v1::ListResponse> page = api->List(request);
    if (!page.ok()) return shell.Fail("list", page.status());
    if (!std::exchange(told, true)) LabelStale(shell, page->stale());
    for (const v1::Pair& pair : page->pairs()) {
      TellPair(shell, pair, options.encodings.output(), options.keys_only);
    }
    left -= std::min<uint64_t>(left, static_cast<uint64_t>(page->pairs_size()));
    request.set_continuation(page->continuation());
  } while (left > 0 && !request.continuation().empty() && shell.out());
  return Exit::kOk;
}

Options NewOptions() { return std::make_shared<DataOptions>(); }

void AddArguments(CLI::App& command, const Options& options, const char* text, int low, int high) {
  command.add_option("ARGUMENTS", options->arguments, kArguments)
      ->option_text(text)
      ->required()
      ->expected(low, high);
}

void AddGet(CLI::App& app, Action& action) {
  const Options options = NewOptions();
  CLI::App& get = AddCommand(app, "get", "Print the value of a key, or of several");
  AddArguments(get, options, "KEY...", 1, static_cast<int>(kGetManyKeysMax));
  get.add_flag("--no-newline,-n", options->no_newline, "Print the value and nothing else");
  get.add_option("--output,-o", options->output, "Write the value to a file, byte for byte")
      ->option_text("FILE");
  AddEncodingOptions(get, options->encodings, EncodingsFor::kBoth);
  get.callback([&action, options] {
    if (options->arguments.size() > 1 && !options->output.empty()) {
      Refuse("--output: takes the value of one key");
    }
    action = [options](Shell& shell) { return RunGet(shell, *options); };
  });
}

void AddPut(CLI::App& app, Action& action, bool append) {
  const Options options = NewOptions();
  CLI::App& put = append ? AddCommand(app, "append", "Append to the value of a key")
                         : AddCommand(app, "put", "Set the value of a key");
  AddArguments(put, options, "KEY VALUE", 2, 2);
  AddEncodingOptions(put, options->encodings, EncodingsFor::kInput);
  put.callback([&action, options, append] {
    action = [options, append](Shell& shell) { return RunPut(shell, *options, append); };
  });
}

void AddDelete(CLI::App& app, Action& action) {
  const Options options = NewOptions();
  CLI::App& remove = AddCommand(app, "delete", "Delete keys; deleting what is not there succeeds");
  AddArguments(remove, options, "KEY...", 1, 1 << 20);
  AddEncodingOptions(remove, options->encodings, EncodingsFor::kInput);
  remove.callback([&action, options] {
    action = [options](Shell& shell) { return RunDelete(shell, *options); };
  });
}

void AddCas(CLI::App& app, Action& action) {
  const Options options = NewOptions();
  CLI::App& cas =
      AddCommand(app, "cas", "Set or delete a key if its value is the expected one (else exit 2)");
  AddArguments(cas, options, "KEY [EXPECTED] [VALUE]", 1, 3);
  cas.add_flag("--missing", options->missing, "Expected is that there is no such key");
  cas.add_flag("--delete", options->remove, "Delete it instead of setting it");
  AddEncodingOptions(cas, options->encodings, EncodingsFor::kBoth);
  cas.callback(
      [&action, options] { action = [options](Shell& shell) { return RunCas(shell, *options); }; });
}

void AddList(CLI::App& app, Action& action) {
  const Options options = NewOptions();
  CLI::App& list = AddCommand(app, "list", "Print keys and values, ascending; JSON: one a line");
  list.add_option("PREFIX", options->prefix, "Only keys that begin with this");
  list.add_option("--prefix", options->prefix, "The same as an option")->option_text("PREFIX");
  list.add_option("--start", options->start, "Only keys at or after this")->option_text("KEY");
  list.add_option("--limit", options->limit, "At most so many (default: all)")->option_text("N");
  list.add_flag("--keys-only,-k", options->keys_only, "Without values");
  AddEncodingOptions(list, options->encodings, EncodingsFor::kBoth);
  list.callback([&action, options] {
    if (!options->limit.empty()) ParseNumber("--limit", options->limit, 1, UINT64_MAX);
    action = [options](Shell& shell) { return RunList(shell, *options); };
  });
}

}  // namespace

void AddDataCommands(CLI::App& app, Action& action) {
  AddGet(app, action);
  AddPut(app, action, /*append=*/false);
  AddPut(app, action, /*append=*/true);
  AddDelete(app, action);
  AddCas(app, action);
  AddList(app, action);
}

}  // namespace lockstep::bin
