package main

import (
	"fmt"
	"html"
	"math"
	"strings"
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
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %[1]d %[2]d" font-family="sans-serif" font-size="12">`+"\n", plotWidth, bottom+40)
	fmt.Fprintf(&b, `<rect width="100%%" height="100%%" fill="white"/>`+"\n")
	plotText(&b, 16, 22, "start", "font-size=\"15\" font-weight=\"bold\"", "Training, milliseconds a step (median)")
	plotLegend(&b, peer)
	scale := (plotWidth - plotLeft - plotRight) / longest
	plotAxis(&b, scale, longest, bottom)
	for i, x := range r.Results {
		plotGroup(&b, x, plotTop+group*i+groupSpace/2, scale)
	}
	plotText(&b, 16, bottom+32, "start", `fill="#777"`, fmt.Sprintf("%s, %s; %d rounds of %d steps", r.Machine.CPU, r.Machine.OS, r.Rounds, r.Steps))
	b.WriteString("</svg>\n")
	return b.String()
}

func plotGroup(b *strings.Builder, x benchResult, y int, scale float64) {
	label := fmt.Sprintf("%s %s, batch %d", x.Net, x.Mode, x.Batch)
	if x.Threads == 1 {
		label += ", 1 thread"
	} else {
		label += fmt.Sprintf(", %d threads", x.Threads)
	}
	plotText(b, plotLeft-8, y+barHeight-3, "end", "", label)
	p, at := x.Profile, float64(plotLeft)
	sum := p.Forward + p.Backward + p.Optimizer + p.Data + p.Rest
	for _, part := range plotParts {
		w := quotient(max(part.of(p), 0), sum) * x.MedianMS * scale
		plotBar(b, at, y, w, part.colour)
		at += w
	}
	plotText(b, int(at)+6, y+barHeight-3, "start", "", fmt.Sprintf("%.1f", x.MedianMS))
	if x.Peer == nil {
		return
	}
	y += barHeight + 2
	plotBar(b, plotLeft, y, x.Peer.MedianMS*scale, peerColour)
	plotText(b, plotLeft+int(x.Peer.MedianMS*scale)+6, y+barHeight-3, "start", "", fmt.Sprintf("%.1f  (x %.2f)", x.Peer.MedianMS, x.Ratio.Median))
}

func plotLegend(b *strings.Builder, peer bool) {
	x := plotLeft
	entry := func(colour, name string) {
		plotBar(b, float64(x), 36, 12, colour)
		plotText(b, x+17, 47, "start", "", name)
		x += 36 + 7*len(name)
	}
	for _, p := range plotParts {
		entry(p.colour, p.name)
	}
	if peer {
		entry(peerColour, "TensorFlow (x its time / ours)")
	}
}

// plotAxis draws lines at round numbers, about six.
func plotAxis(b *strings.Builder, scale, longest float64, bottom int) {
	step := math.Pow(10, math.Floor(math.Log10(longest/3)))
	for _, f := range []float64{5, 2} {
		if longest/(step*f) >= 4 {
			step *= f
			break
		}
	}
	for v := 0.0; v <= longest; v += step {
		x := plotLeft + v*scale
		fmt.Fprintf(b, `<line x1="%.1f" y1="%d" x2="%.1f" y2="%d" stroke="#ddd"/>`+"\n", x, plotTop-4, x, bottom)
		plotText(b, int(x), bottom+14, "middle", `fill="#555"`, fmt.Sprintf("%.4g", v))
	}
}

func plotBar(b *strings.Builder, x float64, y int, width float64, colour string) {
	fmt.Fprintf(b, `<rect x="%.1f" y="%d" width="%.1f" height="%d" fill="%s"/>`+"\n", x, y, width, barHeight-2, colour)
}

func plotText(b *strings.Builder, x, y int, anchor, attributes, text string) {
	fmt.Fprintf(b, `<text x="%d" y="%d" text-anchor="%s" %s>%s</text>`+"\n", x, y, anchor, attributes, html.EscapeString(text))
}
