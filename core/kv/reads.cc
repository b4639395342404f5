#include "core/kv/reads.h"

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/kv/list_page.h"
#include "core/kv/table_layout.h"

namespace lockstep::kv {

void ReadGet(const proto::Get& get, const TableReader& table, proto::Result* result) {
  std::string key;
  SetDataKey(get.key(), &key);
  result->set_code(proto::OK);
  if (!table.Get(key, result->mutable_value())) result->clear_value();
}

void ReadGetMany(const proto::GetMany& get, const KvLimits& limits, const TableReader& table,
                 proto::Result* result) {
  std::string table_key;
  uint64_t bytes = 0;
  for (const std::string& key : get.keys()) {
    SetDataKey(key, &table_key);
    std::string value;
    if (!table.Get(table_key, &value)) continue;
    bytes += value.size();
    if (bytes > limits.get_many_bytes_max && result->pairs_size() > 0) {
      result->clear_pairs();
      result->set_code(proto::TOO_LARGE);
      result->set_message(absl::StrCat("the values exceed get_many_bytes_max (",
                                       limits.get_many_bytes_max,
                                       " bytes): ask for fewer keys at a time"));
      return;
    }
    proto::Pair* pair = result->add_pairs();
    pair->set_key(key);
    *pair->mutable_value() = std::move(value);
  }
  result->set_code(proto::OK);
}

void ReadList(const proto::List& list, const KvLimits& limits, const TableReader& table,
              proto::Result* result) {
  ListPage page(list, limits);
  page.Add(table);
  page.Fill(result);
}

}  // namespace lockstep::kv
