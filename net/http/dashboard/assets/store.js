// What the node has told: the newest state, with the points and events that came before it.

const windowMs = 600000;
const eventsMax = 200;

export class Store {
  state = null;
  receivedAt = 0;  // performance.now() of the newest sample

  // The whole state, as at the beginning and after a gap.
  replace(state) {
    this.state = state;
    this.receivedAt = performance.now();
  }

  // The next sample: its series and events are added to what there is. Those it brings for good.
  add(update) {
    if (this.state === null) return this.replace(update);
    const series = this.state.metrics.series;
    const news = update.metrics.series;
    const last = series.at.at(-1) ?? 0;
    news.at.forEach((at, i) => {
      if (at <= last) return;
      for (const name of Object.keys(series)) series[name].push(news[name]?.[i] ?? null);
    });
    while (series.at.length > 0 && series.at[0] < series.at.at(-1) - windowMs) {
      for (const name of Object.keys(series)) series[name].shift();
    }
    const seen = this.state.events.at(-1)?.id ?? 0;
    const events = [...this.state.events, ...update.events.filter((event) => event.id > seen)];
    this.state = {
      ...update,
      metrics: {...update.metrics, series},
      events: events.slice(-eventsMax)
    };
    this.receivedAt = performance.now();
  }

  ageMs() {
    return this.state === null ? 0 : performance.now() - this.receivedAt;
  }

  // The node's time now: its clock and this browser's may differ.
  nodeNow() {
    return this.state.topology.updatedAt + this.ageMs();
  }

  // A place in the palette for each group, by its number.
  groupIndex(gid) {
    return this.state.topology.shardGroups.findIndex((group) => group.groupId === gid);
  }
}
