// Messages as JSON, member by member under their own names.
#ifndef LOCKSTEP_NET_HTTP_PROTO_JSON_H_
#define LOCKSTEP_NET_HTTP_PROTO_JSON_H_

#include <google/protobuf/message.h>

#include "net/http/json.h"

namespace lockstep::net::http {

// Unlike Protobuf's own JSON: integers of 64 bits are numbers, and what has its default value is
// there too, so that a reader sees every field. Messages that are not set are left out; enums are
// their names, bytes that are not UTF-8 are base64.
Json ToJson(const google::protobuf::Message& message);

}  // namespace lockstep::net::http

#endif  // LOCKSTEP_NET_HTTP_PROTO_JSON_H_
