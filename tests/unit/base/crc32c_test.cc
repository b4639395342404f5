#include "core/base/crc32c.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "core/base/rng.h"

namespace lockstep {
namespace {

// One bit at a time, straight from the polynomial: nothing to get wrong.
uint32_t Reference(absl::string_view bytes) {
  uint32_t crc = 0xFFFFFFFF;
  for (const char byte : bytes) {
    crc ^= static_cast<unsigned char>(byte);
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0x82F63B78 : 0);
  }
  return ~crc;
}

TEST(Crc32c, KnownValues) {
  std::string ascending;
  for (int i = 0; i < 32; ++i) ascending.push_back(static_cast<char>(i));
  const std::string descending(ascending.rbegin(), ascending.rend());
  struct Row {
    std::string bytes;
    uint32_t crc;
  };
  // RFC 3720 (iSCSI) B.4, and the catalogue's check value.
  for (const Row& row : std::vector<Row>{{"", 0},
                                         {"123456789", 0xE3069283},
                                         {"a", 0xC1D04330},
                                         {std::string(32, '\0'), 0x8A9136AA},
                                         {std::string(32, '\xFF'), 0x62A8AB43},
                                         {ascending, 0x46DD794E},
                                         {descending, 0x113FDB5C}}) {
    EXPECT_EQ(Crc32c(row.bytes), row.crc) << row.bytes;
    EXPECT_EQ(Reference(row.bytes), row.crc) << row.bytes;
  }
}

// Every length, alignment and split gives the reference's value.
TEST(Crc32c, EqualsTheReferenceHoweverSplit) {
  Rng rng(1);
  for (size_t size = 0; size < 200; ++size) {
    std::string bytes(size + 8, '\0');
    for (char& byte : bytes) byte = static_cast<char>(rng.Next());
    const absl::string_view text = absl::string_view(bytes).substr(size % 8, size);
    const uint32_t want = Reference(text);
    ASSERT_EQ(Crc32c(text), want) << size;
    for (size_t split = 0; split <= size; ++split) {
      const uint32_t first = Crc32c(text.substr(0, split));
      ASSERT_EQ(Crc32cExtend(first, text.substr(split)), want) << size << " at " << split;
    }
    uint32_t by_byte = 0;
    for (size_t i = 0; i < size; ++i) by_byte = Crc32cExtend(by_byte, text.substr(i, 1));
    ASSERT_EQ(by_byte, want) << size;
  }
}

TEST(Crc32c, EqualsTheReferenceOfLongTexts) {
  Rng rng(2);
  std::string bytes(100000, '\0');
  for (char& byte : bytes) byte = static_cast<char>(rng.Next());
  for (int i = 0; i < 50; ++i) {
    const absl::string_view text = absl::string_view(bytes).substr(rng.Below(64), rng.Below(99000));
    const uint64_t split = rng.Below(text.size() + 1);
    ASSERT_EQ(Crc32cExtend(Crc32c(text.substr(0, split)), text.substr(split)), Reference(text));
  }
}

TEST(Crc32c, NoticesEveryFlippedBit) {
  std::string bytes = "the quick brown fox jumps over the lazy dog";
  const uint32_t crc = Crc32c(bytes);
  for (size_t bit = 0; bit < 8 * bytes.size(); ++bit) {
    const char mask = static_cast<char>(1 << (bit % 8));
    bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ mask);
    EXPECT_NE(Crc32c(bytes), crc) << bit;
    bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ mask);
  }
}

}  // namespace
}  // namespace lockstep
