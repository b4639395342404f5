// The head of an answer as bytes, by Boost.Beast's serializer.
#ifndef LOCKSTEP_NET_HTTP_RESPONSE_HEAD_H_
#define LOCKSTEP_NET_HTTP_RESPONSE_HEAD_H_

#include <string>

#include "absl/strings/string_view.h"
#include "net/http/message.h"

namespace lockstep::net::http {

enum class AfterAnswer { kKeepAlive, kClose };

// Status line, fields and the empty line. Content-Length is that of the body, whether it is sent
// (HEAD) or not; a stream has none, its end is that of the connection. `date` is as HTTP writes it.
std::string MakeHead(const Response& response, AfterAnswer after, absl::string_view date);

}  // namespace lockstep::net::http

#endif  // LOCKSTEP_NET_HTTP_RESPONSE_HEAD_H_
