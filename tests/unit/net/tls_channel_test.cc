// TLS between two ends in memory: who is let in, and that bytes arrive however they are cut.
#include "net/tls/tls_channel.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <utility>

#include "core/base/rng.h"
#include "tests/unit/net/test_certificates.h"

namespace lockstep::net {
namespace {

struct End {
  End(std::shared_ptr<const TlsCredentials> credentials, TlsChannel::Side side, TlsDemand demand)
      : channel(std::move(credentials), side, demand) {}

  void Take(const std::string& wire) {
    if (!status.ok()) return;
    status = channel.Feed(wire, [this](absl::string_view plain) {
      heard.append(plain.data(), plain.size());
      return true;
    });
  }

  TlsChannel channel;
  absl::Status status;
  std::string heard;
};

class Pair {
 public:
  Pair(std::shared_ptr<const TlsCredentials> of_server,
       std::shared_ptr<const TlsCredentials> of_client, TlsDemand demand = TlsDemand::kVerified)
      : server(std::move(of_server), TlsChannel::Side::kAccepts, demand),
        client(std::move(of_client), TlsChannel::Side::kDials, TlsDemand::kVerified) {
    client.status = client.channel.Begin();
  }

  // Carries what there is in pieces of up to `piece` bytes, until nothing is left to be said.
  void Carry(size_t piece = 1 << 20) {
    while (true) {
      const std::string there = client.channel.TakeWire();
      const std::string back = server.channel.TakeWire();
      if (there.empty() && back.empty()) return;
      for (size_t i = 0; i < there.size(); i += piece) server.Take(there.substr(i, piece));
      for (size_t i = 0; i < back.size(); i += piece) client.Take(back.substr(i, piece));
    }
  }

  End server;
  End client;
};

TEST(TlsChannel, BothSidesKnowEachOther) {
  Pair pair(CredentialsOf(NodeRequest(1)), CredentialsOf(NodeRequest(2)));
  pair.Carry();
  ASSERT_TRUE(pair.server.channel.ready()) << pair.server.status;
  ASSERT_TRUE(pair.client.channel.ready()) << pair.client.status;
  EXPECT_EQ(pair.server.channel.peer().common_name, "node-2");
  EXPECT_TRUE(MaySpeakFor(pair.server.channel.peer(), 2));
  EXPECT_FALSE(MaySpeakFor(pair.server.channel.peer(), 1));
  EXPECT_FALSE(MaySpeakFor(pair.server.channel.peer(), 22));
  EXPECT_TRUE(IsNode(pair.client.channel.peer()));
  EXPECT_TRUE(MaySpeakFor(pair.client.channel.peer(), 1));
}

TEST(TlsChannel, BytesArriveHoweverTheWireIsCut) {
  for (const size_t piece : {size_t{1}, size_t{7}, size_t{1000}, size_t{1} << 20}) {
    Pair pair(CredentialsOf(NodeRequest(1)), CredentialsOf(NodeRequest(2)));
    pair.Carry(piece);
    Rng rng(piece);
    std::string said;
    for (int i = 0; i < 20; ++i) {
      const uint64_t size = rng.Below(piece == 1 ? 300 : 100'000);
      const std::string more(static_cast<size_t>(size), static_cast<char>('a' + i));
      said += more;
      ASSERT_TRUE(pair.client.channel.Write(more).ok());
      ASSERT_TRUE(pair.server.channel.Write(more).ok());
      pair.Carry(piece);
    }
    EXPECT_EQ(pair.server.heard, said);
    EXPECT_EQ(pair.client.heard, said);
  }
}

TEST(TlsChannel, OneCertificateMayBeEveryNodes) {
  CertificateRequest any = NodeRequest(1);
  any.uris = {"lockstep://node"};
  Pair pair(CredentialsOf(NodeRequest(1)), CredentialsOf(any));
  pair.Carry();
  ASSERT_TRUE(pair.server.channel.ready()) << pair.server.status;
  EXPECT_TRUE(MaySpeakFor(pair.server.channel.peer(), 7));
}

TEST(TlsChannel, AClientsCertificateIsNoNodes) {
  Pair pair(CredentialsOf(NodeRequest(1)), CredentialsOf(ClientRequestFor("node")));
  pair.Carry();
  ASSERT_TRUE(pair.server.channel.ready()) << pair.server.status;
  EXPECT_EQ(pair.server.channel.peer().common_name, "node");
  EXPECT_FALSE(IsNode(pair.server.channel.peer()));
  EXPECT_FALSE(MaySpeakFor(pair.server.channel.peer(), 1));
}

TEST(TlsChannel, WhoIsNotSignedIsRefusedByEitherSide) {
  Pair stranger(CredentialsOf(NodeRequest(1)), CredentialsOf(NodeRequest(2), OtherAuthority()));
  stranger.Carry();
  EXPECT_TRUE(absl::IsUnauthenticated(stranger.server.status));
  EXPECT_FALSE(stranger.server.channel.ready());

  Pair impostor(CredentialsOf(NodeRequest(1), OtherAuthority()), CredentialsOf(NodeRequest(2)));
  impostor.Carry();
  EXPECT_TRUE(absl::IsUnauthenticated(impostor.client.status));
  EXPECT_FALSE(impostor.client.channel.ready());
  EXPECT_NE(impostor.client.status.message().find("certificate"), absl::string_view::npos);
}

TEST(TlsChannel, ACertificateThatIsOverIsRefused) {
  Pair pair(CredentialsOf(NodeRequest(1)), CredentialsOf(NodeRequest(2, Yesterday())));
  pair.Carry();
  EXPECT_TRUE(absl::IsUnauthenticated(pair.server.status));
  EXPECT_NE(pair.server.status.message().find("expired"), absl::string_view::npos)
      << pair.server.status;
}

TEST(TlsChannel, AClientsCertificateDoesNotServe) {
  Pair pair(CredentialsOf(ClientRequestFor("c")), CredentialsOf(NodeRequest(2)));
  pair.Carry();
  EXPECT_TRUE(absl::IsUnauthenticated(pair.client.status));
}

TEST(TlsChannel, WhatIsNoHandshakeIsRefused) {
  for (const char* text :
       {"GET / HTTP/1.1\r\n\r\n", "nonsense, and much of it", "\x16\x03\x01\xff"}) {
    End end(CredentialsOf(NodeRequest(1)), TlsChannel::Side::kAccepts, TlsDemand::kNone);
    end.Take(std::string(text) + std::string(1000, 'x'));
    EXPECT_TRUE(absl::IsUnauthenticated(end.status)) << text;
    EXPECT_TRUE(end.heard.empty());
  }
}

TEST(TlsChannel, AFlippedBitEndsIt) {
  Pair pair(CredentialsOf(NodeRequest(1)), CredentialsOf(NodeRequest(2)));
  pair.Carry();
  ASSERT_TRUE(pair.client.channel.Write("hello").ok());
  std::string wire = pair.client.channel.TakeWire();
  wire[wire.size() / 2] = static_cast<char>(wire[wire.size() / 2] ^ 1);
  pair.server.Take(wire);
  EXPECT_FALSE(pair.server.status.ok());
  EXPECT_TRUE(pair.server.heard.empty());
}

TEST(TlsChannel, AFarewellIsHeard) {
  Pair pair(CredentialsOf(NodeRequest(1)), CredentialsOf(NodeRequest(2)));
  pair.Carry();
  pair.server.channel.SayGoodbye();
  pair.Carry();
  EXPECT_TRUE(pair.client.channel.ended());
  EXPECT_TRUE(pair.client.status.ok());
}

TEST(TlsCredentials, SayWhatIsWrong) {
  const TlsPem sound = PemOf(NodeRequest(1));
  const TlsPem other = PemOf(NodeRequest(2));
  struct Row {
    const char* name;
    TlsPem pem;
    const char* says;
  };
  const Row rows[] = {
      {"empty", {}, "certificate: no PEM certificate"},
      {"no key", {sound.certificate, "", sound.authorities}, "key: no PEM private key"},
      {"another's key", {sound.certificate, other.key, sound.authorities}, "key: it is not that"},
      {"no authority", {sound.certificate, sound.key, "x"}, "authorities: no PEM certificate"},
      {"damaged", {sound.certificate.substr(0, 200), sound.key, sound.authorities}, "certificate:"},
  };
  for (const Row& row : rows) {
    const absl::Status status = TlsCredentials::Make(row.pem).status();
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << row.name;
    EXPECT_EQ(status.message().find(row.says), 0u) << row.name << ": " << status;
  }
}

TEST(TlsCredentials, KnowWhenTheyEnd) {
  const auto credentials = CredentialsOf(NodeRequest(1, Yesterday()));
  EXPECT_LT(credentials->certificate_expires(), absl::ToUnixSeconds(absl::Now()));
  EXPECT_GT(credentials->authorities_expire(), absl::ToUnixSeconds(absl::Now()));
}

}  // namespace
}  // namespace lockstep::net
