package report

import (
	"cmp"
	"fmt"
	"html/template"
	"math"
	"slices"

	"github.com/temper-ml/temper/internal/plot"
)

// Charts are as wide as a phone, so that their texts stay readable there; the page sets them side by side where there is room.
const (
	chartWidth, chartHeight = 380.0, 280.0
	chartLeft, chartRight   = 46.0, 14.0
	chartTop, chartBottom   = 26.0, 40.0
)

// colours is the number of colour classes (c0, c1 ...) in the style sheet.
const colours = 8

// colour is the class of a result's colour, which its training has, too. The training that all begin with is grey; others have the colours that are left.
func (p Page) colour(name string) string {
	i := slices.IndexFunc(p.Results, func(r Result) bool { return r.Name == name })
	if i >= 0 {
		return fmt.Sprintf("c%d", i%colours)
	}
	i = len(p.Results)
	for _, t := range p.Trainings {
		switch {
		case t.Name == name && t.After == "":
			return "grey"
		case t.Name == name:
			return fmt.Sprintf("c%d", i%colours)
		case t.After != "" && !slices.ContainsFunc(p.Results, func(r Result) bool { return r.Name == t.Name }):
			i++
		}
	}
	return "grey"
}

// axes is a chart's frame.
type axes struct {
	*plot.Drawing
	x0, x1, y0, y1 float64
	logY           bool // logarithmic
	error          bool // logarithmic in the distance to 1, so that 99 % and 99.5 % are as far apart as 90 % and 95 %
}

func newAxes(x0, x1, y0, y1 float64) *axes {
	return &axes{Drawing: &plot.Drawing{Width: chartWidth, Height: chartHeight}, x0: x0, x1: x1, y0: y0, y1: y1}
}

func (a *axes) x(v float64) float64 {
	return chartLeft + (v-a.x0)/(a.x1-a.x0)*(chartWidth-chartLeft-chartRight)
}

func (a *axes) y(v float64) float64 {
	lo, hi := a.y0, a.y1
	if a.logY {
		lo, hi, v = math.Log(lo), math.Log(hi), math.Log(max(v, a.y0))
	}
	if a.error {
		lo, hi, v = -math.Log(1-lo), -math.Log(1-hi), -math.Log(1-min(v, a.y1))
	}
	return chartHeight - chartBottom - (v-lo)/(hi-lo)*(chartHeight-chartTop-chartBottom)
}

// frame draws grid, numbers and the name of the x axis.
func (a *axes) frame(xTicks, yTicks []float64, xText, yText func(float64) string, name string) {
	for _, v := range yTicks {
		a.Line(chartLeft, a.y(v), chartWidth-chartRight, a.y(v), `class="grid"`)
		a.Text(chartLeft-6, a.y(v)+4, "end", `class="faint"`, yText(v))
	}
	for _, v := range xTicks {
		a.Line(a.x(v), chartHeight-chartBottom, a.x(v), chartHeight-chartBottom+4, `class="grid"`)
		a.Text(a.x(v), chartHeight-chartBottom+17, "middle", `class="faint"`, xText(v))
	}
	a.Text(chartWidth-chartRight, chartHeight-5, "end", `class="faint"`, name)
}

func (a *axes) html(title string) template.HTML { return template.HTML(a.SVG(title, `class="chart"`)) }

// sizes shows the accuracy of each file against its compressed size.
func sizes(p Page) template.HTML {
	lo, hi, largest := math.Inf(1), math.Inf(-1), 0.0
	for _, r := range p.Results {
		lo, hi, largest = min(lo, r.Accuracy), max(hi, r.Accuracy), max(largest, float64(r.Gzip))
	}
	if !math.IsNaN(p.Float) {
		lo, hi = min(lo, p.Float), max(hi, p.Float)
	}
	pad := max(0.12*(hi-lo), 0.0005)
	a := newAxes(0, 1.08*largest, lo-pad, min(hi+pad, 1+pad/2))
	digits := decimals(a.y1 - a.y0)
	a.frame(plot.Ticks(a.x0, a.x1, 4), plot.Ticks(a.y0, a.y1, 5), func(v float64) string { return fmt.Sprintf("%g", v/1000) },
		func(v float64) string { return fmt.Sprintf("%.*f", digits, 100*v) }, "kB, gzip")
	a.Text(4, 10, "start", `class="faint"`, "%")
	if !math.IsNaN(p.Float) {
		a.Line(chartLeft, a.y(p.Float), chartWidth-chartRight, a.y(p.Float), `class="float"`)
		a.Text(chartLeft+4, a.y(p.Float)-4, "start", `class="faint small"`, "float network")
	}
	for _, r := range p.Results {
		a.Circle(a.x(float64(r.Gzip)), a.y(r.Accuracy), 5, fmt.Sprintf(`class="dot %s"`, p.colour(r.Name)), fmt.Sprintf("%s: %.2f %%, %s", r.Name, 100*r.Accuracy, kb(float64(r.Gzip))))
	}
	a.labels(p)
	return a.html("Accuracy of each file against its compressed size")
}

// labels writes the names beside their points, moved apart where they would lie upon each other or upon a point.
func (a *axes) labels(p Page) {
	type box struct{ x, y, w float64 }
	var taken []box
	for _, r := range p.Results {
		taken = append(taken, box{a.x(float64(r.Gzip)) - 6, a.y(r.Accuracy), 12})
	}
	order := make([]int, len(p.Results))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(i, j int) int { return cmp.Compare(p.Results[j].Accuracy, p.Results[i].Accuracy) })
	for _, i := range order {
		r := p.Results[i]
		x, y, w := a.x(float64(r.Gzip)), a.y(r.Accuracy), 7*float64(len(r.Name))
		best := box{x + 9, y, w}
		free := func(b box) bool {
			if b.x < chartLeft || b.x+b.w > chartWidth || b.y < chartTop || b.y > chartHeight-chartBottom-4 {
				return false
			}
			return !slices.ContainsFunc(taken, func(t box) bool { return b.x < t.x+t.w && t.x < b.x+b.w && math.Abs(b.y-t.y) < 13 })
		}
		for _, c := range []box{best, {x - 9 - w, y, w}, {x - w/2, y - 14, w}, {x - w/2, y + 15, w}, {x + 9, y - 14, w}, {x - 9 - w, y - 14, w}, {x + 9, y + 15, w}, {x - 9 - w, y + 15, w},
			{x - w/2, y + 28, w}, {x - w/2, y - 27, w}} {
			if free(c) {
				best = c
				break
			}
		}
		taken = append(taken, best)
		a.Text(best.x, best.y+4, "start", "", r.Name)
	}
}

// decimals is how many digits of a percentage tell the parts of a span apart.
func decimals(span float64) int {
	switch {
	case span < 0.005:
		return 2
	case span < 0.05:
		return 1
	}
	return 0
}

// curves are the trainings of a run: the float network's, and behind its end those of the conditioners.
func curves(p Page) []curve {
	trainings := p.Trainings
	accuracy := curve{Title: "Accuracy in training", Note: "of each epoch; errors logarithmic"}
	loss := curve{Title: "Loss in training", Note: "mean of each epoch, logarithmic"}
	for _, t := range trainings {
		accuracy.Legend = append(accuracy.Legend, legend{t.Name, p.colour(t.Name)})
	}
	loss.Legend = accuracy.Legend
	accuracy.Picture = drawCurves(p, func(t Training) []float64 { return t.Accuracy }, false, accuracy.Title)
	loss.Picture = drawCurves(p, func(t Training) []float64 { return t.Loss }, true, loss.Title)
	all := []curve{accuracy, loss}
	if slices.ContainsFunc(trainings, func(t Training) bool { return t.Validation != nil }) {
		v := curve{Title: "Accuracy in validation", Note: "after each epoch, on examples held back", Legend: accuracy.Legend}
		v.Picture = drawCurves(p, func(t Training) []float64 { return t.Validation }, false, v.Title)
		all = append(all, v)
	}
	return all
}

func drawCurves(p Page, of func(Training) []float64, loss bool, title string) template.HTML {
	trainings := p.Trainings
	start, last := map[string]int{}, 1
	ends := map[string]float64{}
	lo, hi := math.Inf(1), math.Inf(-1)
	for _, t := range trainings {
		start[t.Name] = start[t.After] + len(of(byName(trainings, t.After)))
		last = max(last, start[t.Name]+len(of(t)))
		for _, v := range of(t) {
			lo, hi, ends[t.Name] = min(lo, v), max(hi, v), v
		}
	}
	if lo > hi {
		lo, hi = 0.1, 1
	}
	a := newAxes(0.5, float64(last)+0.5, max(lo, 1e-6)/1.15, max(hi, 1e-5)*1.15)
	a.logY, a.error = loss, !loss
	ticks, yText := logTicks(a.y0, a.y1), func(v float64) string { return fmt.Sprintf("%.3g", v) }
	if a.error {
		worst, best := max(1-lo, 1e-4)*1.15, max(1-hi, 1e-4)/1.15
		a.y0, a.y1 = 1-min(worst, 0.99), 1-best
		ticks, yText = nil, func(v float64) string { return fmt.Sprintf("%.4g", 100*v) }
		for _, e := range logTicks(1-a.y1, 1-a.y0) {
			ticks = append(ticks, 1-e)
		}
		a.Text(4, 10, "start", `class="faint"`, "%")
	}
	var epochs []float64
	for e := 1; e <= last; e += 1 + (last-1)/10 {
		epochs = append(epochs, float64(e))
	}
	a.frame(epochs, ticks, func(v float64) string { return fmt.Sprintf("%g", v) }, yText, "epoch")
	for _, t := range trainings {
		var points [][2]float64
		if end, ok := ends[t.After]; ok && t.After != "" {
			points = append(points, [2]float64{a.x(float64(start[t.Name])), a.y(end)})
		}
		for k, v := range of(t) {
			points = append(points, [2]float64{a.x(float64(start[t.Name] + k + 1)), a.y(v)})
		}
		a.Path(points, fmt.Sprintf(`class="line %s"`, p.colour(t.Name)))
		for k, v := range of(t) {
			a.Circle(a.x(float64(start[t.Name]+k+1)), a.y(v), 3.2, fmt.Sprintf(`class="dot %s"`, p.colour(t.Name)), fmt.Sprintf("%s, epoch %d: %.4g", t.Name, k+1, v))
		}
	}
	return a.html(title)
}

func byName(trainings []Training, name string) Training {
	for _, t := range trainings {
		if t.Name == name {
			return t
		}
	}
	return Training{}
}

// logTicks are 1, 2 and 5 times powers of ten, or powers alone over a wide range.
func logTicks(lo, hi float64) []float64 {
	factors := []float64{1, 2, 5}
	if hi/lo > 300 {
		factors = factors[:1]
	}
	var ticks []float64
	for p := math.Floor(math.Log10(lo)); p <= math.Log10(hi); p++ {
		for _, f := range factors {
			if v := f * math.Pow(10, p); v >= lo && v <= hi {
				ticks = append(ticks, v)
			}
		}
	}
	return ticks
}

// The histogram of a layer's weights.
const (
	histogramBins                   = 61 // an odd number: 0 has a bin of its own
	histogramWidth, histogramHeight = 240.0, 132.0
	histogramTop, histogramBottom   = 34.0, 18.0
)

// histogram shows the weights of a layer before conditioning, as an area, and in the file, as bars. The bar of the zeros is cut off where it would hide all others.
func histogram(l Layer) template.HTML {
	d := &plot.Drawing{Width: histogramWidth, Height: histogramHeight}
	limit := 0.0
	for _, side := range [][]float32{l.Before, l.After} {
		for _, v := range side {
			limit = max(limit, math.Abs(float64(v)))
		}
	}
	if limit == 0 || math.IsInf(limit, 0) || math.IsNaN(limit) {
		limit = 1
	}
	before, after := bins(l.Before, limit), bins(l.After, limit)
	top := 0.0
	for i := range histogramBins {
		top = max(top, before[i])
		if i != histogramBins/2 {
			top = max(top, after[i])
		}
	}
	top = max(1.12*top, 1e-9)
	base := histogramHeight - histogramBottom
	x := func(i float64) float64 { return 4 + i*(histogramWidth-8)/histogramBins }
	y := func(v float64) float64 { return base - min(v, top)/top*(base-histogramTop) }
	var area [][2]float64
	for i, v := range before {
		area = append(area, [2]float64{x(float64(i)), y(v)}, [2]float64{x(float64(i + 1)), y(v)})
	}
	d.Path(append(append([][2]float64{{x(0), base}}, area...), [2]float64{x(histogramBins), base}), `class="before"`)
	for i, v := range after {
		d.Rect(x(float64(i))+0.4, y(v), x(1)-x(0)-0.8, base-y(v), `class="after"`)
	}
	if v := after[histogramBins/2]; v > top { // a gap in the bar says that it goes on
		d.Line(x(histogramBins/2)-1, histogramTop+7, x(histogramBins/2+1)+1, histogramTop+3, `class="cut"`)
	}
	d.Line(4, base, histogramWidth-4, base, `class="axis"`)
	d.Text(4, 12, "start", `class="name"`, l.Name)
	zeros := 0
	for _, v := range l.After {
		if v == 0 {
			zeros++
		}
	}
	d.Text(4, 26, "start", `class="faint small"`, fmt.Sprintf("%s weights, %.1f %% zero", thousands(len(l.After)), 100*float64(zeros)/float64(max(len(l.After), 1))))
	for _, e := range []struct {
		at     float64
		anchor string
		v      float64
	}{{4, "start", -limit}, {histogramWidth / 2, "middle", 0}, {histogramWidth - 4, "end", limit}} {
		d.Text(e.at, histogramHeight-4, e.anchor, `class="faint small"`, fmt.Sprintf("%.2g", e.v))
	}
	return template.HTML(d.SVG("Weights of "+l.Name+" before and after", `class="histogram"`))
}

// bins are the parts of the weights in equal steps from -limit to limit.
func bins(x []float32, limit float64) []float64 {
	b := make([]float64, histogramBins)
	for _, v := range x {
		f := (float64(v)/limit + 1) / 2 * histogramBins
		if f >= 0 { // not so for NaN
			b[min(int(f), histogramBins-1)] += 1 / float64(len(x))
		}
	}
	return b
}
