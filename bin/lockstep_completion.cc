// completion: scripts for shells, made from the commands and options that there are.
#include <CLI/CLI.hpp>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "bin/lockstep_commands.h"
#include "bin/lockstep_values.h"

namespace lockstep::bin {
namespace {

struct Word {
  std::string text;
  std::string help;
};
// What may come after a command: "" is `lockstep` itself, "cluster join" a command of a command.
using Words = std::map<std::string, std::vector<Word>>;

void Collect(const CLI::App& app, const std::string& path, const std::vector<Word>& inherited,
             Words& words) {
  std::vector<Word> options = inherited;
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) {
      options.push_back({absl::StrCat("--", name), option->get_description()});
    }
  }
  std::vector<Word>& here = words[path];
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    here.push_back({command->get_name(), command->get_description()});
    Collect(*command,
            path.empty() ? command->get_name() : absl::StrCat(path, " ", command->get_name()),
            path.empty() ? options : inherited, words);
  }
  here.insert(here.end(), options.begin(), options.end());
}

std::string Texts(const std::vector<Word>& words) {
  return absl::StrJoin(words, " ",
                       [](std::string* out, const Word& word) { out->append(word.text); });
}

// A help text in single quotes.
std::string Quoted(absl::string_view text) {
  return absl::StrCat("'", absl::StrReplaceAll(text, {{"'", "'\\''"}, {"\n", " "}}), "'");
}

// Finds the longest path of commands on the line so far. The same for both shells, since zsh runs
// it as well.
std::string PathFunction(const Words& words) {
  std::vector<std::string> paths;
  for (const auto& [path, unused] : words) {
    if (!path.empty()) paths.push_back(Quoted(path));
  }
  return absl::StrCat(
      "    for word in \"${line[@]}\"; do\n"
      "        next=\"${path:+$path }$word\"\n"
      "        case \"$next\" in\n"
      "            ",
      absl::StrJoin(paths, "|"), ") path=$next ;;\n        esac\n    done\n");
}

std::string Cases(const Words& words) {
  std::string text = "    case \"$path\" in\n";
  for (const auto& [path, here] : words) {
    absl::StrAppend(&text, "        ", Quoted(path), ") candidates=\"", Texts(here), "\" ;;\n");
  }
  return absl::StrCat(text, "    esac\n");
}

std::string Bash(const Words& words) {
  return absl::StrCat(
      "# lockstep completion bash > /etc/bash_completion.d/lockstep\n"
      "_lockstep() {\n"
      "    local line=(\"${COMP_WORDS[@]:1:COMP_CWORD-1}\") path= word next candidates\n",
      PathFunction(words), Cases(words),
      "    COMPREPLY=($(compgen -W \"$candidates\" -- \"${COMP_WORDS[COMP_CWORD]}\"))\n"
      "}\n"
      "complete -o default -F _lockstep lockstep\n");
}

std::string Zsh(const Words& words) {
  return absl::StrCat(
      "#compdef lockstep\n"
      "# lockstep completion zsh > a directory of $fpath, as _lockstep\n"
      "_lockstep() {\n"
      "    local -a line\n"
      "    local path_= word next candidates\n"
      "    line=(\"${words[@]:1:$((CURRENT-2))}\")\n",
      absl::StrReplaceAll(absl::StrCat(PathFunction(words), Cases(words)),
                          {{"${path:+$path }", "${path_:+$path_ }"},
                           {"path=$next", "path_=$next"},
                           {"\"$path\"", "\"$path_\""}}),
      "    compadd -- ${=candidates}\n"
      "    _files\n"
      "}\n"
      "compdef _lockstep lockstep\n");
}

std::string Fish(const Words& words) {
  std::string text = "# lockstep completion fish > ~/.config/fish/completions/lockstep.fish\n";
  for (const auto& [path, here] : words) {
    std::string condition = "__fish_use_subcommand";
    if (!path.empty()) {
      condition = absl::StrCat("__fish_seen_subcommand_from ",
                               path.substr(path.find(' ') == path.npos ? 0 : path.find(' ') + 1));
    }
    for (const Word& word : here) {
      const bool option = word.text.rfind("--", 0) == 0;
      absl::StrAppend(
          &text, "complete -c lockstep -n ", Quoted(condition),
          option ? absl::StrCat(" -l ", word.text.substr(2)) : absl::StrCat(" -f -a ", word.text),
          " -d ", Quoted(word.help), "\n");
    }
  }
  return text;
}

}  // namespace

void AddCompletionCommand(CLI::App& app, Action& action) {
  const auto shell_name = std::make_shared<std::string>();
  CLI::App& command = AddCommand(app, "completion", "Print a completion script for a shell");
  command.add_option("SHELL", *shell_name, "bash, zsh or fish")->required();
  command.callback([&app, &action, shell_name] {
    const size_t which = OneOf("SHELL", *shell_name, {"bash", "zsh", "fish"});
    action = [&app, which](Shell& shell) {
      Words words;
      Collect(app, "", {}, words);
      shell.out() << (which == 0 ? Bash(words) : which == 1 ? Zsh(words) : Fish(words));
      return Exit::kOk;
    };
  });
}

}  // namespace lockstep::bin
