// The stream of this node. It is opened again whenever it ends, however it ends.

const retryMs = 1000;
const silentMsMax = 10000;

export function openStream(onState, onUpdate) {
  let source = null;
  let heardAt = 0;
  let retry = 0;

  const take = (consumer) => (event) => {
    heardAt = performance.now();
    consumer(JSON.parse(event.data));
  };
  // A node has only so many streams. Who gets none asks for the same data once in a while.
  const ask = async () => {
    try {
      const answer = await fetch('/api/v1/dashboard', {cache: 'no-store'});
      if (answer.ok) onState((await answer.json()).data);
    } catch {
      // The page tells how old its data are.
    }
  };
  const connect = () => {
    source?.close();
    heardAt = performance.now();
    source = new EventSource('/api/v1/dashboard/stream');
    source.addEventListener('state', take(onState));
    source.addEventListener('update', take(onUpdate));
    source.addEventListener('error', () => {
      source.close();
      clearTimeout(retry);
      retry = setTimeout(async () => {
        await ask();
        connect();
      }, retryMs);
    });
  };

  // A node that hangs ends no connection.
  setInterval(() => {
    if (performance.now() - heardAt > silentMsMax) connect();
  }, retryMs);
  connect();
}
