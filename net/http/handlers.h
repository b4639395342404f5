// The handlers of the routes, by the file that holds them.
#ifndef LOCKSTEP_NET_HTTP_HANDLERS_H_
#define LOCKSTEP_NET_HTTP_HANDLERS_H_

#include <memory>

#include "net/http/handler.h"

namespace lockstep::net::http {

using HandlerPtr = std::unique_ptr<Handler>;

// kv_handlers.cc: one key.
HandlerPtr MakeGetKey(const HandlerContext& context);
HandlerPtr MakePutKey(const HandlerContext& context);
HandlerPtr MakeDeleteKey(const HandlerContext& context);
HandlerPtr MakeAppendKey(const HandlerContext& context);  // PATCH
HandlerPtr MakePostKey(const HandlerContext& context);    // POST ?op=append
HandlerPtr MakeCompareAndSwap(const HandlerContext& context);

// list_handler.cc
HandlerPtr MakeList(const HandlerContext& context);

// batch_handlers.cc: several keys.
HandlerPtr MakeBatch(const HandlerContext& context);
HandlerPtr MakeGetMany(const HandlerContext& context);

// session_handlers.cc
HandlerPtr MakeOpenSession(const HandlerContext& context);
HandlerPtr MakeCloseSession(const HandlerContext& context);

// cluster_handlers.cc: how the cluster is.
HandlerPtr MakeClusterStatus(const HandlerContext& context);
HandlerPtr MakeNodes(const HandlerContext& context);
HandlerPtr MakeShards(const HandlerContext& context);
HandlerPtr MakeConfiguration(const HandlerContext& context);

// admin_handlers.cc: changing it.
HandlerPtr MakeJoin(const HandlerContext& context);
HandlerPtr MakeLeave(const HandlerContext& context);
HandlerPtr MakeMove(const HandlerContext& context);
HandlerPtr MakeUnpin(const HandlerContext& context);
HandlerPtr MakeTransfer(const HandlerContext& context);

// node_handlers.cc: nodes of groups come and go.
HandlerPtr MakeAddNode(const HandlerContext& context);
HandlerPtr MakeRemoveNode(const HandlerContext& context);

// dashboard/handlers.cc: what people look at, and the data behind it.
HandlerPtr MakeDashboardFile(const HandlerContext& context);
HandlerPtr MakeDashboard(const HandlerContext& context);
HandlerPtr MakeDashboardStream(const HandlerContext& context);
HandlerPtr MakeTopology(const HandlerContext& context);
HandlerPtr MakeMetricsJson(const HandlerContext& context);

// health_handlers.cc: how this node is.
HandlerPtr MakeHealth(const HandlerContext& context);
HandlerPtr MakeAlive(const HandlerContext& context);
HandlerPtr MakeMetrics(const HandlerContext& context);

}  // namespace lockstep::net::http

#endif  // LOCKSTEP_NET_HTTP_HANDLERS_H_
