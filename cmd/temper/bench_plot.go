package main

import (
	"fmt"

	"github.com/temper-ml/temper/internal/plot"
)

// The picture: a group of bars for each measurement, the time of a step cut into its parts, the peer's below it, and the ratio.
const (
	plotWidth  = 900
	plotLeft   = 275 // of the bars
	plotRight  = 110 // for the numbers behind the longest bar
	plotTop    = 64
	barHeight  = 14
	groupSpace = 12
)

// plotParts are the parts of a step in their order, each with a colour.
var plotParts = []struct {
	name, colour string
	of           func(*benchProfile) float64
}{
	{"forward", "#1f77b4", func(p *benchProfile) float64 { return p.Forward }},
	{"backward", "#6baed6", func(p *benchProfile) float64 { return p.Backward }},
	{"optimizer", "#2ca02c", func(p *benchProfile) float64 { return p.Optimizer }},
	{"data and rest", "#9e9e9e", func(p *benchProfile) float64 { return p.Data + p.Rest }},
}

const peerColour = "#f28e2b"

const plotTitle = "Training, milliseconds a step (median)"

// pictureStyle is that of pictures which are files of their own: they stand in documents, light or dark.
const pictureStyle = `.page{fill:#fff}text{fill:#1f2328}.faint{fill:#6e7781}.grid{stroke:#d8dee4}
@media(prefers-color-scheme:dark){.page{fill:#0d1117}text{fill:#e6edf3}.faint{fill:#8b949e}.grid{stroke:#30363d}}`

// plotSVG draws the medians of a report. Ours are cut in the proportions of the profiled steps.
func plotSVG(r benchReport) string {
	peer, longest := false, 0.0
	for _, x := range r.Results {
		longest = max(longest, x.MedianMS)
		if x.Peer != nil {
			peer, longest = true, max(longest, x.Peer.MedianMS)
		}
	}
	group := barHeight + groupSpace
	if peer {
		group += barHeight + 2
	}
	bottom := plotTop + group*len(r.Results)
	d := &plot.Drawing{Width: plotWidth, Height: float64(bottom + 40)}
	d.Text(16, 22, "start", `font-size="15" font-weight="bold"`, plotTitle)
	plotLegend(d, peer)
	scale := (plotWidth - plotLeft - plotRight) / longest
	plotAxis(d, scale, longest, bottom)
	for i, x := range r.Results {
		plotGroup(d, x, plotTop+group*i+groupSpace/2, scale)
	}
	d.Text(16, float64(bottom+32), "start", `class="faint"`, fmt.Sprintf("%s, %s; %d rounds of %d steps", r.Machine.CPU, r.Machine.OS, r.Rounds, r.Steps))
	return d.File(plotTitle, pictureStyle)
}

func plotGroup(d *plot.Drawing, x benchResult, y int, scale float64) {
	label := fmt.Sprintf("%s %s, batch %d", x.Net, x.Mode, x.Batch)
	if x.Threads == 1 {
		label += ", 1 thread"
	} else {
		label += fmt.Sprintf(", %d threads", x.Threads)
	}
	plotText(d, plotLeft-8, y+barHeight-3, "end", label)
	p, at := x.Profile, float64(plotLeft)
	sum := p.Forward + p.Backward + p.Optimizer + p.Data + p.Rest
	for _, part := range plotParts {
		w := quotient(max(part.of(p), 0), sum) * x.MedianMS * scale
		plotBar(d, at, y, w, part.colour)
		at += w
	}
	plotText(d, int(at)+6, y+barHeight-3, "start", fmt.Sprintf("%.1f", x.MedianMS))
	if x.Peer == nil {
		return
	}
	y += barHeight + 2
	plotBar(d, plotLeft, y, x.Peer.MedianMS*scale, peerColour)
	plotText(d, plotLeft+int(x.Peer.MedianMS*scale)+6, y+barHeight-3, "start", fmt.Sprintf("%.1f  (x %.2f)", x.Peer.MedianMS, x.Ratio.Median))
}

func plotLegend(d *plot.Drawing, peer bool) {
	x := plotLeft
	entry := func(colour, name string) {
		plotBar(d, float64(x), 36, 12, colour)
		plotText(d, x+17, 47, "start", name)
		x += 36 + 7*len(name)
	}
	for _, p := range plotParts {
		entry(p.colour, p.name)
	}
	if peer {
		entry(peerColour, "TensorFlow (x its time / ours)")
	}
}

// plotAxis draws lines at round numbers.
func plotAxis(d *plot.Drawing, scale, longest float64, bottom int) {
	for _, v := range plot.Ticks(0, longest, 6) {
		x := plotLeft + v*scale
		d.Line(x, plotTop-4, x, float64(bottom), `class="grid"`)
		d.Text(x, float64(bottom+14), "middle", `class="faint"`, fmt.Sprintf("%.4g", v))
	}
}

func plotBar(d *plot.Drawing, x float64, y int, width float64, colour string) {
	d.Rect(x, float64(y), width, barHeight-2, fmt.Sprintf(`fill="%s"`, colour))
}

func plotText(d *plot.Drawing, x, y int, anchor, text string) {
	d.Text(float64(x), float64(y), anchor, "", text)
}
