// The file system's promises on a real temporary directory.
#include "storage/posix_file_system.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/unit/storage/wal_test_support.h"

namespace lockstep::storage {
namespace {

class PosixFileSystemTest : public testing::Test {
 protected:
  std::unique_ptr<File> Make(const std::string& name, const std::string& bytes) {
    auto file = files_.Open(Path(name), OpenMode::kTruncate);
    EXPECT_TRUE(file.ok()) << file.status();
    EXPECT_TRUE((*file)->Append(bytes).ok());
    return *std::move(file);
  }
  std::string Path(const std::string& name) const { return directory_ + "/" + name; }

  PosixFileSystem files_;
  const std::string directory_ = FreshDirectory("posix");
};

TEST_F(PosixFileSystemTest, ReadsAndWritesAtOffsets) {
  const auto file = Make("a", "0123456789");
  std::string out = "old";
  ASSERT_TRUE(file->Read(3, 4, &out).ok());
  EXPECT_EQ(out, "3456");
  ASSERT_TRUE(file->Read(8, 100, &out).ok());
  EXPECT_EQ(out, "89");
  ASSERT_TRUE(file->Read(10, 1, &out).ok());
  EXPECT_EQ(out, "");
  ASSERT_TRUE(file->Read(1000, 1, &out).ok());
  EXPECT_EQ(out, "");
  ASSERT_TRUE(file->Write(8, "xyz").ok());
  ASSERT_TRUE(file->Write(13, "!").ok());
  ASSERT_TRUE(file->Append("end").ok());
  ASSERT_TRUE(file->Sync().ok());
  EXPECT_EQ(ReadAll(files_, Path("a")), std::string("01234567xyz\0\0!end", 17));
  EXPECT_EQ(*file->Size(), 17u);
  EXPECT_EQ(*files_.FileSize(Path("a")), 17u);
}

TEST_F(PosixFileSystemTest, AppendFollowsTruncateAndReopening) {
  auto file = Make("a", "0123456789");
  ASSERT_TRUE(file->Truncate(4).ok());
  ASSERT_TRUE(file->Append("X").ok());
  ASSERT_TRUE(file->Truncate(7).ok());
  ASSERT_TRUE(file->Append("Y").ok());
  EXPECT_EQ(ReadAll(files_, Path("a")), std::string("0123X\0\0Y", 8));
  file = *files_.Open(Path("a"), OpenMode::kCreate);
  ASSERT_TRUE(file->Append("Z").ok());
  EXPECT_EQ(ReadAll(files_, Path("a")), std::string("0123X\0\0YZ", 9));
  file = *files_.Open(Path("a"), OpenMode::kReadWrite);
  ASSERT_TRUE(file->Append("W").ok());
  EXPECT_EQ(*file->Size(), 10u);
  file = *files_.Open(Path("a"), OpenMode::kTruncate);
  EXPECT_EQ(*file->Size(), 0u);
}

TEST_F(PosixFileSystemTest, OpenModes) {
  EXPECT_TRUE(absl::IsNotFound(files_.Open(Path("none"), OpenMode::kRead).status()));
  EXPECT_TRUE(absl::IsNotFound(files_.Open(Path("none"), OpenMode::kReadWrite).status()));
  EXPECT_FALSE(files_.Exists(Path("none")));
  EXPECT_TRUE(files_.Open(Path("new"), OpenMode::kCreate).ok());
  EXPECT_TRUE(files_.Exists(Path("new")));
  const auto file = files_.Open(Path("new"), OpenMode::kRead);
  ASSERT_TRUE(file.ok());
  EXPECT_FALSE((*file)->Append("x").ok());
  EXPECT_FALSE(files_.Open(directory_, OpenMode::kRead).ok()) << "a directory is no file";
}

TEST_F(PosixFileSystemTest, Names) {
  Make("b", "bee");
  Make("a", "ant");
  ASSERT_TRUE(files_.CreateDirectory(Path("x/y/z")).ok());
  ASSERT_TRUE(files_.CreateDirectory(Path("x/y/z")).ok());
  ASSERT_TRUE(files_.CreateDirectory(Path("x/y/z/")).ok());
  EXPECT_EQ(*files_.List(directory_), (std::vector<std::string>{"a", "b", "x"}));
  EXPECT_EQ(*files_.List(Path("x")), (std::vector<std::string>{"y"}));
  ASSERT_TRUE(files_.Rename(Path("a"), Path("b")).ok());
  EXPECT_EQ(ReadAll(files_, Path("b")), "ant");
  ASSERT_TRUE(files_.Delete(Path("b")).ok());
  ASSERT_TRUE(files_.SyncDirectory(directory_).ok());
  EXPECT_EQ(*files_.List(directory_), (std::vector<std::string>{"x"}));
  EXPECT_TRUE(absl::IsNotFound(files_.Delete(Path("b"))));
  EXPECT_TRUE(absl::IsNotFound(files_.Rename(Path("b"), Path("c"))));
  EXPECT_TRUE(absl::IsNotFound(files_.List(Path("none")).status()));
  EXPECT_TRUE(absl::IsNotFound(files_.FileSize(Path("none")).status()));
  EXPECT_TRUE(absl::IsNotFound(files_.SyncDirectory(Path("none"))));
  Make("file", "");
  EXPECT_FALSE(files_.CreateDirectory(Path("file")).ok());
  EXPECT_FALSE(files_.CreateDirectory(Path("file/below")).ok());
}

TEST_F(PosixFileSystemTest, LockIsExclusiveWhileHeld) {
  auto first = files_.Lock(Path("LOCK"));
  ASSERT_TRUE(first.ok()) << first.status();
  const absl::Status second = files_.Lock(Path("LOCK")).status();
  EXPECT_TRUE(absl::IsFailedPrecondition(second)) << second;
  EXPECT_NE(second.message().find(Path("LOCK")), absl::string_view::npos);
  first->reset();
  EXPECT_TRUE(files_.Lock(Path("LOCK")).ok());
}

TEST_F(PosixFileSystemTest, LargeTransfers) {
  const std::string large(size_t{5} << 20, 'L');
  const auto file = Make("large", large);
  std::string out;
  ASSERT_TRUE(file->Read(0, large.size() + 10, &out).ok());
  EXPECT_TRUE(out == large);
}

TEST_F(PosixFileSystemTest, FreeBytes) {
  const auto free = files_.FreeBytes(directory_);
  ASSERT_TRUE(free.ok()) << free.status();
  EXPECT_GT(*free, 0u);
  EXPECT_TRUE(absl::IsNotFound(files_.FreeBytes(Path("none")).status()));
}

TEST_F(PosixFileSystemTest, FullDiskIsResourceExhausted) {
  if (!files_.Exists("/dev/full")) GTEST_SKIP() << "no /dev/full here";
  const auto file = files_.Open("/dev/full", OpenMode::kReadWrite);
  ASSERT_TRUE(file.ok()) << file.status();
  const absl::Status status = (*file)->Write(0, "x");
  EXPECT_TRUE(absl::IsResourceExhausted(status)) << status;
  EXPECT_EQ(status.message(), "write /dev/full: No space left on device");
}

TEST_F(PosixFileSystemTest, DeniedIsPermissionDenied) {
  if (::geteuid() == 0) GTEST_SKIP() << "the superuser is denied nothing";
  Make("locked", "");
  ASSERT_EQ(::chmod(Path("locked").c_str(), 0), 0);
  EXPECT_TRUE(absl::IsPermissionDenied(files_.Open(Path("locked"), OpenMode::kRead).status()));
}

TEST(ErrnoStatus, Codes) {
  struct Row {
    int error;
    absl::StatusCode code;
  };
  for (const Row& row : std::vector<Row>{{ENOENT, absl::StatusCode::kNotFound},
                                         {ENOSPC, absl::StatusCode::kResourceExhausted},
                                         {EDQUOT, absl::StatusCode::kResourceExhausted},
                                         {EACCES, absl::StatusCode::kPermissionDenied},
                                         {EROFS, absl::StatusCode::kPermissionDenied},
                                         {EIO, absl::StatusCode::kInternal},
                                         {EMFILE, absl::StatusCode::kUnavailable},
                                         {EISDIR, absl::StatusCode::kFailedPrecondition},
                                         {EINVAL, absl::StatusCode::kInvalidArgument},
                                         {ENOTCONN, absl::StatusCode::kInternal}}) {
    EXPECT_EQ(ErrnoStatus(row.error, "sync", "/a").code(), row.code) << row.error;
  }
  EXPECT_EQ(ErrnoStatus(EIO, "sync", "/data/x").message(), "sync /data/x: Input/output error");
}

}  // namespace
}  // namespace lockstep::storage
