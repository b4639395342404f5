#include "net/client/exchange.h"

#include <utility>

#include "core/base/check.h"

namespace lockstep::net {
namespace {

template <class Sink>
void Fields(const std::vector<Piece>& pieces, Sink& sink) {
  for (const Piece& piece : pieces) {
    sink.Message(1, [&](auto& inner) {
      inner.Number(1, piece.id);
      inner.Text(2, piece.bytes.view());
    });
  }
}

}  // namespace

std::vector<Piece> TakePieces(std::deque<Piece>* queue) {
  std::vector<Piece> taken;
  uint64_t bytes = 0;
  while (!queue->empty() && taken.size() < kExchangePiecesMax) {
    bytes += queue->front().bytes.size();
    if (!taken.empty() && bytes > kExchangeBytesMax) break;
    taken.push_back(std::move(queue->front()));
    queue->pop_front();
  }
  return taken;
}

size_t ExchangeSize(const std::vector<Piece>& pieces) {
  wire::SizeSink sink;
  Fields(pieces, sink);
  return sink.size();
}

void EncodeExchange(const std::vector<Piece>& pieces, char* to) {
  wire::WriteSink sink(to);
  Fields(pieces, sink);
  CheckEq(static_cast<size_t>(sink.end() - to), ExchangeSize(pieces));
}

}  // namespace lockstep::net
