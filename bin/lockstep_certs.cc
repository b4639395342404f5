// certs create: an authority for development and the certificates that it signs, as files.
//
// A key is written before its certificate and never again: whoever reads a pair while it is renewed
// finds the old certificate or the new one, and either fits the key.
#include <sys/stat.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "bin/atomic_file.h"
#include "bin/certificates.h"
#include "bin/lockstep_commands.h"
#include "bin/lockstep_text.h"
#include "bin/lockstep_values.h"

namespace lockstep::bin {
namespace {

constexpr const char* kFooter =
    "Examples:\n"
    "  lockstep certs create --dir certs --nodes 1,2,3 --clients admin\n"
    "  lockstep certs create --dir certs --nodes 4 --host node4.example.org,10.0.0.4\n"
    "  lockstep certs create --dir certs --nodes 1,2,3 --renew\n"
    "\n"
    "Files: ca.crt and ca.key, node-ID.crt and node-ID.key, client-NAME.crt and client-NAME.key.\n"
    "An authority that is there signs again. A node needs ca.crt and its own two files; ca.key\n"
    "belongs on no node: whoever has it can be anybody. --renew keeps the keys; to have a new "
    "key,\n"
    "delete the old one and its certificate first. The authority lasts ten years.";

constexpr int kAuthorityDays = 3650;
constexpr size_t kFileBytesMax = size_t{1} << 20;

struct CertsOptions {
  std::string directory;
  std::vector<std::string> nodes;
  std::vector<std::string> hosts;
  std::vector<std::string> clients;
  std::string days = "365";
  bool renew = false;
};

// A certificate to be made, and the files of it without their endings.
struct Wanted {
  std::string name;  // "node-1", "client-admin"
  CertificateRequest request;
};

// All the values of an option that may be given several times, each a list with commas.
std::vector<std::string> Values(const std::string& option, const std::vector<std::string>& given) {
  std::vector<std::string> values;
  for (const std::string& text : given) {
    for (const absl::string_view value : SplitList(option, text)) {
      if (std::find(values.begin(), values.end(), value) == values.end()) {
        values.emplace_back(value);
      }
    }
  }
  return values;
}

// What the command line asks for; what is wrong with it is thrown.
std::vector<Wanted> WantedOf(const CertsOptions& options) {
  // Clocks differ a little: what was just made is to be taken everywhere.
  const absl::Time now = absl::Now();
  const auto days = static_cast<int64_t>(ParseNumber("--days", options.days, 1, kAuthorityDays));
  const Validity validity{now - absl::Minutes(5), now + absl::Hours(24 * days)};
  const std::vector<std::string> hosts = Values("--host", options.hosts);
  for (const std::string& host : hosts) {
    const absl::Status status = CheckCertificateHost(host);
    if (!status.ok()) Refuse(absl::StrCat("--host: ", status.message()));
  }
  std::vector<Wanted> wanted;
  for (const std::string& text : Values("--nodes", options.nodes)) {
    const uint64_t id = ParseNumber("--nodes", text, 1, UINT64_MAX);
    wanted.push_back({absl::StrCat("node-", id), NodeCertificate(id, hosts, validity)});
  }
  for (const std::string& name : Values("--clients", options.clients)) {
    const absl::Status status = CheckClientName(name);
    if (!status.ok()) Refuse(absl::StrCat("--clients: ", status.message()));
    wanted.push_back({absl::StrCat("client-", name), ClientCertificate(name, validity)});
  }
  if (wanted.empty()) Refuse("certs create: say for whom: --nodes 1,2,3 or --clients admin");
  return wanted;
}

// The files of one directory.
class Directory {
 public:
  explicit Directory(std::string path) : path_(std::move(path)) {}

  absl::Status Make() const {
    const mode_t before = ::umask(077);
    std::error_code error;
    std::filesystem::create_directories(path_, error);
    ::umask(before);
    if (error) return absl::UnavailableError(absl::StrCat(path_, ": ", error.message()));
    return absl::OkStatus();
  }
  std::string Crt(const std::string& name) const { return absl::StrCat(path_, "/", name, ".crt"); }
  std::string Key(const std::string& name) const { return absl::StrCat(path_, "/", name, ".key"); }
  // Empty when there is none.
  static absl::StatusOr<std::string> Read(const std::string& file) {
    absl::StatusOr<std::string> text = ReadSmallFile(file, kFileBytesMax);
    if (absl::IsNotFound(text.status())) return std::string();
    return text;
  }
  // `old_key`: the key that is in the file already; it is not written again.
  absl::Status Write(const std::string& name, const CertificatePem& pem,
                     const std::string& old_key) const {
    absl::Status status;
    if (old_key.empty()) status = WriteFileAtomically(Key(name), pem.key, 0600);
    if (status.ok()) status = WriteFileAtomically(Crt(name), pem.certificate, 0644);
    return status;
  }

 private:
  const std::string path_;
};

absl::Status About(const std::string& file, const absl::Status& status) {
  return absl::Status(status.code(), absl::StrCat(file, ": ", status.message()));
}

// Several authorities of one name are hard to tell apart when something does not fit.
std::string AuthorityName() {
  return absl::StrCat("Lockstep development CA ",
                      absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", absl::Now(), absl::UTCTimeZone()));
}

// The authority of the directory, made if there is none. Its end bounds what it signs.
absl::StatusOr<CertificatePem> Authority(const Directory& directory, absl::Time* end, bool* made) {
  const absl::StatusOr<std::string> crt = Directory::Read(directory.Crt("ca"));
  if (!crt.ok()) return crt.status();
  const absl::StatusOr<std::string> key = Directory::Read(directory.Key("ca"));
  if (!key.ok()) return key.status();
  CertificatePem pem{.certificate = *crt, .key = *key};
  *made = crt->empty();
  if (*made) {
    const absl::Time now = absl::Now();
    const Validity validity{now - absl::Minutes(5), now + absl::Hours(24 * kAuthorityDays)};
    const absl::StatusOr<CertificatePem> authority = MakeAuthority(AuthorityName(), validity, *key);
    if (!authority.ok()) return About(directory.Key("ca"), authority.status());
    absl::Status status = directory.Write("ca", *authority, *key);
    if (!status.ok()) return status;
    pem = *authority;
  } else if (key->empty()) {
    return absl::FailedPreconditionError(
        absl::StrCat(directory.Key("ca"), " is missing, and only it can sign for ",
                     directory.Crt("ca"), ": bring it back, or choose another --dir"));
  }
  const absl::StatusOr<absl::Time> until = AuthorityEnd(pem);
  if (!until.ok()) return About(directory.Crt("ca"), until.status());
  if (*until <= absl::Now()) {
    return absl::FailedPreconditionError(
        absl::StrCat(directory.Crt("ca"), " ended on ", absl::FormatTime(*until),
                     ": make new certificates for all in another --dir"));
  }
  *end = *until;
  return pem;
}

// Before anything is written: none is there, or all may be replaced.
absl::Status CheckNew(const Directory& directory, const std::vector<Wanted>& wanted) {
  for (const Wanted& one : wanted) {
    const absl::StatusOr<std::string> crt = Directory::Read(directory.Crt(one.name));
    if (!crt.ok()) return crt.status();
    if (crt->empty()) continue;
    return absl::FailedPreconditionError(absl::StrCat(directory.Crt(one.name),
                                                      " exists: replace it with --renew, or do "
                                                      "not ask for it"));
  }
  return absl::OkStatus();
}

absl::Status MakeOne(const Directory& directory, const CertificatePem& authority,
                     const Wanted& wanted) {
  const absl::StatusOr<std::string> key = Directory::Read(directory.Key(wanted.name));
  if (!key.ok()) return key.status();
  const absl::StatusOr<CertificatePem> pem = MakeCertificate(authority, wanted.request, *key);
  if (!pem.ok()) return About(directory.Key(wanted.name), pem.status());
  return directory.Write(wanted.name, *pem, *key);
}

struct Made {
  std::string file;
  absl::Time until;
};

void Tell(Shell& shell, const std::vector<Made>& made) {
  if (shell.json()) {
    nlohmann::ordered_json json = {{"certificates", nlohmann::json::array()}};
    for (const Made& one : made) {
      json["certificates"].push_back(
          {{"file", one.file}, {"valid_until", absl::ToUnixSeconds(one.until)}});
    }
    shell.out() << Line(json) << "\n";
    return;
  }
  Table table({"CERTIFICATE", "VALID UNTIL"});
  for (const Made& one : made) {
    table.Add({one.file, absl::FormatTime("%Y-%m-%d %H:%M UTC", one.until, absl::UTCTimeZone())});
  }
  shell.out() << (shell.plain() ? table.Plain() : table.Text());
}

absl::StatusOr<std::vector<Made>> Create(const Directory& directory, std::vector<Wanted> wanted,
                                         bool renew) {
  absl::Status status = renew ? absl::OkStatus() : CheckNew(directory, wanted);
  if (status.ok()) status = directory.Make();
  if (!status.ok()) return status;
  absl::Time end;
  bool new_authority = false;
  const absl::StatusOr<CertificatePem> authority = Authority(directory, &end, &new_authority);
  if (!authority.ok()) return authority.status();
  std::vector<Made> made;
  if (new_authority) made.push_back({directory.Crt("ca"), end});
  for (Wanted& one : wanted) {
    Validity& validity = one.request.validity;
    validity.not_after = std::min(validity.not_after, end);
    status = MakeOne(directory, *authority, one);
    if (!status.ok()) return status;
    made.push_back({directory.Crt(one.name), validity.not_after});
  }
  return made;
}

Exit RunCreate(Shell& shell, const CertsOptions& options, const std::vector<Wanted>& wanted) {
  const absl::StatusOr<std::vector<Made>> made =
      Create(Directory(options.directory), wanted, options.renew);
  if (!made.ok()) {
    return shell.Fail(Exit::kFile, absl::StrCat("certs: ", Escaped(made.status().message())));
  }
  Tell(shell, *made);
  return Exit::kOk;
}

}  // namespace

void AddCertsCommands(CLI::App& app, Action& action) {
  const auto options = std::make_shared<CertsOptions>();
  CLI::App& certs = AddCommand(app, "certs", "Make certificates");
  certs.require_subcommand(1);
  CLI::App& create = AddCommand(
      certs, "create", "Make an authority for development, and certificates for nodes and clients");
  create.add_option("--dir", options->directory, "Where the files are; made if need be")
      ->option_text("DIR")
      ->required();
  create.add_option("--nodes", options->nodes, "The numbers of nodes")->option_text("ID,...");
  create
      .add_option("--host", options->hosts,
                  "Where these nodes are reached, beside localhost, 127.0.0.1 and ::1")
      ->option_text("NAME|IP,...");
  create.add_option("--clients", options->clients, "The names of clients")->option_text("NAME,...");
  create.add_option("--days", options->days, "How long they last (default 365)")
      ->option_text("DAYS");
  create.add_flag("--renew", options->renew, "Replace certificates that are there");
  for (const char* name : {"--nodes", "--host", "--clients"}) {
    create.get_option(name)->expected(1)->allow_extra_args(false)->multi_option_policy(
        CLI::MultiOptionPolicy::TakeAll);
  }
  create.footer(kFooter);
  create.callback([&action, options] {
    if (options->directory.empty()) Refuse("--dir: say where the files are to be");
    action = [options, wanted = WantedOf(*options)](Shell& shell) {
      return RunCreate(shell, *options, wanted);
    };
  });
}

}  // namespace lockstep::bin
