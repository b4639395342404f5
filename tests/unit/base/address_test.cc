#include "core/base/address.h"

#include <string>

#include "absl/strings/match.h"
#include "gtest/gtest.h"

namespace lockstep {
namespace {

TEST(Address, ReadsNamesAndNumbers) {
  struct Row {
    std::string text;
    std::string host;
    uint16_t port;
  };
  for (const Row& row :
       {Row{"localhost:7400", "localhost", 7400}, Row{"127.0.0.1:1", "127.0.0.1", 1},
        Row{"[::1]:65535", "::1", 65535}, Row{"n1.example.org:0", "n1.example.org", 0}}) {
    const absl::StatusOr<Address> address = ParseAddress(row.text, /*port_min=*/0);
    ASSERT_TRUE(address.ok()) << address.status();
    EXPECT_EQ(address->host, row.host);
    EXPECT_EQ(address->port, row.port);
    EXPECT_EQ(FormatAddress(*address), row.text);
  }
}

TEST(Address, SaysWhatIsWrong) {
  struct Row {
    std::string text;
    std::string want;
  };
  for (const Row& row :
       {Row{"", "write HOST:PORT"}, Row{"host", "write HOST:PORT"}, Row{":7400", "write HOST:PORT"},
        Row{"a b:1", "write HOST:PORT"}, Row{"[::1:1", "in brackets"},
        Row{"::1:7400", "in brackets"}, Row{"host:", "has no port"}, Row{"host:0", "has no port"},
        Row{"host:65536", "has no port"}, Row{"host:+1", "has no port"},
        Row{"host:http", "has no port"}, Row{"host:18446744073709551617", "has no port"}}) {
    const absl::Status status = ParseAddress(row.text, /*port_min=*/1).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << row.text;
    EXPECT_TRUE(absl::StartsWith(status.message(), "\"" + row.text + "\"")) << status;
    EXPECT_TRUE(absl::StrContains(status.message(), row.want)) << status;
  }
}

TEST(Address, TextIsPrintable) {
  EXPECT_EQ(AddressText("host:7400"), "host:7400");
  EXPECT_EQ(AddressText("host:\n7400"), "");
  EXPECT_EQ(AddressText("h\xc3\xb6st:7400"), "");
  EXPECT_EQ(AddressText(""), "");
}

}  // namespace
}  // namespace lockstep
