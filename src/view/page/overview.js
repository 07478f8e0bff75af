// The whole run in one strip: leaders, faults, matches of the search, and the diagram's window.

class Overview {
  constructor(canvas, model) {
    this.canvas = canvas;
    this.context = canvas.getContext("2d");
    this.model = model;
    this.height = 34;
  }

  resize(width) {
    this.width = Math.max(width, 100);
    fitCanvas(this.canvas, this.width, this.height);
  }

  x(time) {
    const { from, to } = this.model.span;
    return ((time - from) / (to - from)) * this.width;
  }

  time(x) {
    const { from, to } = this.model.span;
    return from + (x / this.width) * (to - from);
  }

  draw(app, theme) {
    const { context, model } = this;
    const scale = this.canvas.width / this.width;
    context.setTransform(scale, 0, 0, scale, 0, 0);
    context.fillStyle = theme.shade;
    context.fillRect(0, 0, this.width, this.height);
    this.drawLeaders();
    this.drawTicks(model.faults, theme.trouble, 0, 7);
    this.drawTicks(app.matches, theme.late, this.height - 7, 7);
    if (app.violation) {
      context.fillStyle = theme.trouble;
      context.fillRect(this.x(app.violation.at) - 1.5, 0, 3, this.height);
    }
    this.drawWindow(app, theme);
  }

  drawLeaders() {
    const { context, model } = this;
    for (const lane of model.servers) {
      for (const { from, to, up, role, term } of model.states[lane].bands.list) {
        if (!up || role !== LEADER) continue;
        context.fillStyle = termColour(term);
        context.fillRect(this.x(from), 10, Math.max(1, this.x(to) - this.x(from)), 14);
      }
    }
  }

  drawTicks(events, colour, y, height) {
    const { context, model } = this;
    context.fillStyle = colour;
    let before = -10;
    for (const i of events) {
      const x = Math.round(this.x(model.at[i]));
      if (x - before < 2) continue;
      context.fillRect(x - 1, y, 2, height);
      before = x;
    }
  }

  drawWindow({ from, to, cursor }, theme) {
    const { context } = this;
    const x = this.x(from);
    const width = Math.max(4, this.x(to) - x);
    context.fillStyle = theme.accent;
    context.globalAlpha = 0.16;
    context.fillRect(x, 0, width, this.height);
    context.globalAlpha = 1;
    context.strokeStyle = theme.accent;
    context.lineWidth = 2;
    context.strokeRect(x + 1, 1, width - 2, this.height - 2);
    context.fillRect(this.x(cursor) - 0.75, 0, 1.5, this.height);
  }
}
