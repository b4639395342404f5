// Each operation, each role: what the door lets through.
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/kv/command.h"
#include "net/access/access_policy.h"
#include "net/access/door.h"
#include "net/access/guard.h"
#include "net/access/need.h"

namespace lockstep::net {
namespace {

std::shared_ptr<const AccessPolicy> PolicyOf(const std::string& json) {
  auto policy = AccessPolicy::Parse(json);
  EXPECT_TRUE(policy.ok()) << policy.status();
  return policy.ok() ? *policy : nullptr;
}

// One principal a role, known by its certificate; "scoped" writes below a/ alone.
std::shared_ptr<const AccessPolicy> Roles() {
  return PolicyOf(R"({"principals": [
    {"name": "none", "certificate": "none", "role": "none"},
    {"name": "reader", "certificate": "reader", "role": "read"},
    {"name": "writer", "certificate": "writer", "role": "write"},
    {"name": "admin", "certificate": "admin", "role": "admin"},
    {"name": "scoped", "certificate": "scoped", "role": "write", "prefixes": ["a/", "b"]},
    {"name": "watcher", "certificate": "watcher", "role": "read", "prefixes": []}]})");
}

Caller Certified(const std::string& name) { return {.certificate = name, .address = "test"}; }

class Recording final : public Service {
 public:
  void Call(Bytes request, Done done) override {
    passed.push_back(request);
    proto::GatewayReply reply;
    reply.set_kind(proto::GatewayReply::OK);
    done(kv::Encode(reply));
  }
  void CallAll(std::vector<std::pair<Bytes, Done>> calls) override {
    for (auto& [request, done] : calls) Call(std::move(request), std::move(done));
  }
  std::vector<Bytes> passed;
};

struct Operation {
  std::string name;
  Role needs;
  Bytes request;
};

template <class Fill>
Operation Gateway(std::string name, Role needs, Fill fill) {
  proto::GatewayRequest request;
  fill(request);
  return {std::move(name), needs, kv::Encode(request)};
}
template <class Fill>
Operation Direct(std::string name, Role needs, Fill fill) {
  proto::ClientRequest request;
  request.set_group(101);
  fill(request);
  return {"direct " + std::move(name), needs, kv::Encode(request)};
}

template <class Fill>
void AddCommand(std::vector<Operation>* all, const std::string& name, Role needs, Fill fill) {
  all->push_back(Gateway(name, needs, [&](auto& request) { fill(*request.mutable_command()); }));
  all->push_back(Direct(name, needs, [&](auto& request) { fill(*request.mutable_command()); }));
}
template <class Fill>
void AddQuery(std::vector<Operation>* all, const std::string& name, Role needs, Fill fill) {
  all->push_back(Gateway(name, needs, [&](auto& request) { fill(*request.mutable_query()); }));
  all->push_back(Direct(name, needs, [&](auto& request) { fill(*request.mutable_query()); }));
}

std::vector<Operation> Operations() {
  std::vector<Operation> all;
  AddCommand(&all, "put", Role::kWrite, [](auto& c) { c.mutable_put()->set_key("a/1"); });
  AddCommand(&all, "append", Role::kWrite, [](auto& c) { c.mutable_append()->set_key("a/1"); });
  AddCommand(&all, "delete", Role::kWrite, [](auto& c) { c.mutable_delete_()->set_key("a/1"); });
  AddCommand(&all, "cas", Role::kWrite,
             [](auto& c) { c.mutable_compare_and_swap()->set_key("a/1"); });
  AddCommand(&all, "batch", Role::kWrite,
             [](auto& c) { c.mutable_batch()->add_operations()->mutable_put()->set_key("a/1"); });
  AddCommand(&all, "session", Role::kWrite, [](auto& c) { c.mutable_register_session(); });
  AddCommand(&all, "end session", Role::kWrite, [](auto& c) { c.mutable_close_session(); });
  AddCommand(&all, "join", Role::kAdmin, [](auto& c) { c.mutable_join()->add_groups(); });
  AddCommand(&all, "leave", Role::kAdmin, [](auto& c) { c.mutable_leave()->add_gids(101); });
  AddCommand(&all, "move", Role::kAdmin, [](auto& c) { c.mutable_move()->set_gid(101); });
  AddCommand(&all, "unpin", Role::kAdmin, [](auto& c) { c.mutable_unpin(); });
  AddCommand(&all, "prune", Role::kAdmin, [](auto& c) { c.mutable_prune_history(); });
  AddCommand(&all, "members", Role::kAdmin, [](auto& c) { c.mutable_set_members(); });
  AddCommand(&all, "reconfigure", Role::kAdmin, [](auto& c) { c.mutable_reconfigure(); });
  AddCommand(&all, "install", Role::kAdmin, [](auto& c) { c.mutable_install_chunk(); });
  AddQuery(&all, "get", Role::kRead, [](auto& q) { q.mutable_get()->set_key("a/1"); });
  AddQuery(&all, "get many", Role::kRead, [](auto& q) { q.mutable_get_many()->add_keys("a/1"); });
  AddQuery(&all, "list", Role::kRead, [](auto& q) { q.mutable_list()->set_prefix("a/"); });
  AddQuery(&all, "configuration", Role::kRead, [](auto& q) { q.mutable_get_configuration(); });
  AddQuery(&all, "tenure", Role::kAdmin, [](auto& q) { q.mutable_read_tenure(); });
  all.push_back(Gateway("bulk", Role::kWrite, [](auto& request) {
    request.mutable_bulk()->add_operations()->mutable_delete_()->set_key("a/1");
  }));
  all.push_back(
      Gateway("status", Role::kRead, [](auto& request) { request.mutable_cluster_status(); }));
  all.push_back(
      Gateway("transfer", Role::kAdmin, [](auto& request) { request.mutable_transfer(); }));
  all.push_back(Gateway("join groups", Role::kAdmin,
                        [](auto& request) { request.mutable_join()->add_groups(); }));
  all.push_back(Gateway("change nodes", Role::kAdmin,
                        [](auto& request) { request.mutable_change_nodes()->set_add(4); }));
  all.push_back(
      Direct("node", Role::kRead, [](auto& request) { request.mutable_get_node_status(); }));
  all.push_back(Direct("transfer", Role::kAdmin,
                       [](auto& request) { request.mutable_transfer_leadership(); }));
  all.push_back(Direct("membership", Role::kAdmin,
                       [](auto& request) { request.mutable_change_membership(); }));
  return all;
}

// What the door makes of it: passed, or the status of the refusal.
absl::StatusCode Try(Door& door, Recording& service, const Caller& caller, const Bytes& request) {
  service.passed.clear();
  Bytes reply;
  door.Call([&] { return caller; }, request, [&](Bytes answer) { reply = std::move(answer); });
  if (!service.passed.empty()) return absl::StatusCode::kOk;
  proto::GatewayReply gateway;
  if (gateway.ParseFromArray(reply.data(), static_cast<int>(reply.size())) &&
      gateway.status() != 0) {
    EXPECT_EQ(gateway.kind(), proto::GatewayReply::NOT_EXECUTED);
    return static_cast<absl::StatusCode>(gateway.status());
  }
  proto::ClientReply node;
  EXPECT_TRUE(node.ParseFromArray(reply.data(), static_cast<int>(reply.size())));
  return node.result().code() == proto::UNAUTHENTICATED ? absl::StatusCode::kUnauthenticated
                                                        : absl::StatusCode::kPermissionDenied;
}

TEST(Access, EachOperationForEachRole) {
  Recording service;
  Door door(service, std::make_shared<Guard>(Roles()));
  const std::pair<const char*, Role> callers[] = {{"none", Role::kNone},
                                                  {"reader", Role::kRead},
                                                  {"writer", Role::kWrite},
                                                  {"admin", Role::kAdmin}};
  for (const Operation& operation : Operations()) {
    for (const auto& [name, role] : callers) {
      const bool may = role >= operation.needs;
      EXPECT_EQ(Try(door, service, Certified(name), operation.request),
                may ? absl::StatusCode::kOk : absl::StatusCode::kPermissionDenied)
          << name << ": " << operation.name;
    }
    for (const Caller& nobody :
         {Caller(), Certified("stranger"), Caller{.token_digest = TokenDigest("guessed")},
          // A wrong token is not mended by a good certificate.
          Caller{.certificate = "admin", .token_digest = TokenDigest("guessed")}}) {
      EXPECT_EQ(Try(door, service, nobody, operation.request), absl::StatusCode::kUnauthenticated)
          << operation.name;
    }
  }
}

TEST(Access, WithoutAPolicyEverybodyMay) {
  Recording service;
  Door door(service, std::make_shared<Guard>());
  for (const Operation& operation : Operations()) {
    EXPECT_EQ(Try(door, service, Caller(), operation.request), absl::StatusCode::kOk)
        << operation.name;
  }
}

TEST(Access, AScopeIsForKeysOfEveryOperation) {
  Recording service;
  Door door(service, std::make_shared<Guard>(Roles()));
  const auto may = [&](const char* name, auto fill) {
    std::vector<Operation> both;
    AddCommand(&both, name, Role::kWrite, fill);
    const absl::StatusCode gateway = Try(door, service, Certified("scoped"), both[0].request);
    EXPECT_EQ(Try(door, service, Certified("scoped"), both[1].request), gateway) << name;
    return gateway == absl::StatusCode::kOk;
  };
  EXPECT_TRUE(may("put", [](auto& c) { c.mutable_put()->set_key("a/x"); }));
  EXPECT_TRUE(may("put", [](auto& c) { c.mutable_put()->set_key("b"); }));
  EXPECT_FALSE(may("put", [](auto& c) { c.mutable_put()->set_key("a"); }));
  EXPECT_FALSE(may("append", [](auto& c) { c.mutable_append()->set_key("c"); }));
  EXPECT_FALSE(may("delete", [](auto& c) { c.mutable_delete_()->set_key("c"); }));
  EXPECT_FALSE(may("cas", [](auto& c) { c.mutable_compare_and_swap()->set_key("c"); }));
  EXPECT_FALSE(may("batch", [](auto& c) {
    c.mutable_batch()->add_operations()->mutable_put()->set_key("a/1");
    c.mutable_batch()->add_operations()->mutable_compare_and_swap()->set_key("c");
  }));
  const auto may_ask = [&](const char* name, auto fill) {
    std::vector<Operation> both;
    AddQuery(&both, name, Role::kRead, fill);
    return Try(door, service, Certified("scoped"), both[0].request) == absl::StatusCode::kOk;
  };
  EXPECT_TRUE(may_ask("get", [](auto& q) { q.mutable_get()->set_key("b1"); }));
  EXPECT_FALSE(may_ask("get", [](auto& q) { q.mutable_get()->set_key("c"); }));
  EXPECT_FALSE(may_ask("many", [](auto& q) {
    q.mutable_get_many()->add_keys("a/1");
    q.mutable_get_many()->add_keys("c");
  }));
  EXPECT_TRUE(may_ask("list", [](auto& q) { q.mutable_list()->set_prefix("a/sub"); }));
  EXPECT_FALSE(may_ask("list", [](auto& q) { q.mutable_list()->set_prefix("a"); }));
  EXPECT_FALSE(may_ask("list", [](auto& q) {
    q.mutable_list()->set_prefix("");
    q.mutable_list()->set_start("a/");
  }));
}

TEST(Access, AnEmptyScopeSeesTheClusterAndNoKeys) {
  const Guard guard(Roles());
  EXPECT_TRUE(guard.Judge(Certified("watcher"), {.role = Role::kRead}).ok());
  EXPECT_FALSE(guard.Judge(Certified("watcher"), {.role = Role::kRead, .keys = {"a"}}).ok());
}

// Protobuf merges a field that comes twice: what is judged must be what is executed.
TEST(Access, AMessageThatSaysTwoThingsIsJudgedByWhatItMeans) {
  Recording service;
  Door door(service, std::make_shared<Guard>(Roles()));
  proto::ClientRequest allowed;
  allowed.mutable_command()->mutable_put()->set_key("a/1");
  proto::ClientRequest forbidden;
  forbidden.mutable_command()->mutable_put()->set_key("c");
  const std::string both = allowed.SerializeAsString() + forbidden.SerializeAsString();
  EXPECT_EQ(Try(door, service, Certified("scoped"), Bytes::Copy(both)),
            absl::StatusCode::kPermissionDenied);
  proto::ClientRequest move;
  move.mutable_command()->mutable_move()->set_gid(1);
  EXPECT_TRUE(MayNeedAdmin(Bytes::Copy(allowed.SerializeAsString() + move.SerializeAsString())));
}

TEST(Access, WhatIsTakenAwayIsGoneAtOnce) {
  Recording service;
  const auto guard = std::make_shared<Guard>(Roles());
  Door door(service, guard);
  const Bytes put = Operations().front().request;
  EXPECT_EQ(Try(door, service, Certified("writer"), put), absl::StatusCode::kOk);
  guard->Replace(PolicyOf(R"({"principals": []})"));
  EXPECT_EQ(Try(door, service, Certified("writer"), put), absl::StatusCode::kUnauthenticated);
}

TEST(Access, AdministrationIsAudited) {
  std::vector<std::string> lines;
  const auto audit = [&](LogLevel, absl::string_view part, absl::string_view text,
                         const std::vector<LogField>& fields) {
    std::string line = absl::StrCat(part, ": ", text);
    for (const LogField& field : fields) absl::StrAppend(&line, " ", field.name, "=", field.value);
    lines.push_back(line);
  };
  Recording service;
  Door door(service, std::make_shared<Guard>(Roles(), audit));
  proto::GatewayRequest move;
  move.mutable_command()->mutable_move()->set_shard(3);
  move.mutable_command()->mutable_move()->set_gid(102);
  Try(door, service, Certified("admin"), kv::Encode(move));
  Try(door, service, Certified("writer"), kv::Encode(move));
  Try(door, service, Certified("writer"), Operations().front().request);
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_EQ(lines[0], "audit: move shard 3 to group 102 who=admin address=test outcome=done");
  EXPECT_EQ(lines[1].find("audit: move shard 3 to group 102 who=writer address=test "
                          "outcome=refused: "),
            0u);
}

TEST(Access, TokensComeAsBearerOrAsAPassword) {
  EXPECT_EQ(TokenIn("Bearer abc"), "abc");
  EXPECT_EQ(TokenIn("bearer  abc "), "abc");
  EXPECT_EQ(TokenIn("Basic YW55Ym9keTphYmM="), "abc");  // anybody:abc
  EXPECT_EQ(TokenIn("Basic !"), "");
  EXPECT_EQ(TokenIn("Digest abc"), "");
  EXPECT_EQ(TokenIn(""), "");
}

TEST(AccessPolicy, TokensAnonymousAndCertificates) {
  const auto policy = PolicyOf(
      absl::StrCat(R"({"principals": [{"name": "t", "token_sha256": ")", TokenDigest("secret"),
                   R"(", "role": "read"}, {"name": "all", "anonymous": true, "role": "none"}]})"));
  ASSERT_NE(policy->OfToken(TokenDigest("secret")), nullptr);
  EXPECT_EQ(policy->OfToken(TokenDigest("secret"))->name, "t");
  EXPECT_EQ(policy->OfToken(TokenDigest("Secret")), nullptr);
  EXPECT_EQ(policy->Anonymous()->name, "all");
  EXPECT_EQ(TokenDigest("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(AccessPolicy, SaysWhatIsWrong) {
  const std::pair<const char*, const char*> rows[] = {
      {"", "it must be"},
      {"[]", "it must be"},
      {"{\"principals\": 1}", "it must be"},
      {"{\"principals\": [1]}", "principal 1: is no object"},
      {R"({"principals": [{"role": "read"}]})", "principal 1: needs a name"},
      {R"({"principals": [{"name": "a", "role": "root"}]})", "principal 1: role \"root\""},
      {R"({"principals": [{"name": "a", "role": "read"}]})", "principal 1: is recognised by one"},
      {R"({"principals": [{"name": "a", "role": "read", "certificate": "a", "anonymous": true}]})",
       "principal 1: is recognised by one"},
      {R"({"principals": [{"name": "a", "role": "read", "token": "x"}]})",
       "principal 1: no member is called \"token\""},
      {R"({"principals": [{"name": "a", "role": "read", "token_sha256": "12"}]})",
       "principal 1: token_sha256 is 64"},
      {R"({"principals": [{"name": "a", "role": "read", "certificate": "a"},
                          {"name": "a", "role": "read", "certificate": "b"}]})",
       "principal 2: the name \"a\" is taken"},
      {R"({"principals": [{"name": "a", "role": "read", "certificate": "a"},
                          {"name": "b", "role": "read", "certificate": "a"}]})",
       "principal 2: another one is recognised"},
      {R"({"principals": [{"name": "a", "role": "read", "certificate": "a", "prefixes": [""]}]})",
       "principal 1: prefixes is a list"},
  };
  for (const auto& [json, says] : rows) {
    const absl::Status status = AccessPolicy::Parse(json).status();
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << json;
    EXPECT_EQ(status.message().find(says), 0u) << json << ": " << status;
  }
}

}  // namespace
}  // namespace lockstep::net
