// The files of the dashboard's page, from net/http/dashboard/assets, as they were when this was
// built (net/http/dashboard/embed.cmake).
#ifndef LOCKSTEP_NET_HTTP_DASHBOARD_ASSETS_H_
#define LOCKSTEP_NET_HTTP_DASHBOARD_ASSETS_H_

#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace lockstep::net::http {

struct Asset {
  absl::string_view name;  // "index.html"
  absl::string_view content_type;
  absl::string_view tag;  // of its bytes, as an ETag field has it
  absl::string_view bytes;
};

// Ascending names.
absl::Span<const Asset> Assets();

}  // namespace lockstep::net::http

#endif  // LOCKSTEP_NET_HTTP_DASHBOARD_ASSETS_H_
