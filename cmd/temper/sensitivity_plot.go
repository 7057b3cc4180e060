package main

import (
	"fmt"
	"math"

	"github.com/temper-ml/temper"
	"github.com/temper-ml/temper/internal/plot"
)

// The picture of a sensitivity: a row a layer, a cell a setting, the redder the more it costs; a frame around what is advised.
const (
	cellWidth, cellHeight = 46.0, 24.0
	ladderSpace           = 20.0
	sensitivityTop        = 78.0
)

func sensitivitySVG(s *temper.Sensitivities) string {
	longest := 0
	for _, l := range s.Layers {
		longest = max(longest, len([]rune(l.Layer)))
	}
	left := 24 + 7*float64(min(longest, 40))
	width := left
	for _, t := range ladders(s) {
		width += cellWidth*float64(len(t.rungs(s.Layers[0]))) + ladderSpace
	}
	d := &plot.Drawing{Width: max(width, 560), Height: sensitivityTop + cellHeight*float64(len(s.Layers)) + 44}
	title := "What each layer costs: points of accuracy lost, without training"
	d.Text(16, 24, "start", `font-size="15" font-weight="bold"`, title)
	for i, l := range s.Layers {
		d.Text(left-10, sensitivityTop+cellHeight*(float64(i)+0.66), "end", "", shortened(l.Layer, 40))
	}
	x := left
	for _, t := range ladders(s) {
		drawLadder(d, x, t, s)
		x += cellWidth*float64(len(t.rungs(s.Layers[0]))) + ladderSpace
	}
	d.Text(16, d.Height-16, "start", `class="faint"`, fmt.Sprintf("all layers as they are: %.2f %% of %d training examples; framed: the furthest within %.4g points",
		100*s.Accuracy, s.Examples, 100*s.Tolerance))
	return d.File(title, pictureStyle+`
.cell{stroke:none}.low{fill:#2da44e}.high{fill:#cf222e}.frame{fill:none;stroke:#1f2328;stroke-width:1.5}
@media(prefers-color-scheme:dark){.frame{stroke:#e6edf3}}`)
}

func drawLadder(d *plot.Drawing, left float64, t ladder, s *temper.Sensitivities) {
	d.Text(left, sensitivityTop-26, "start", `font-weight="bold"`, t.name)
	for i, r := range t.rungs(s.Layers[0]) {
		d.Text(left+cellWidth*(float64(i)+0.5), sensitivityTop-8, "middle", `class="faint"`, fmt.Sprintf("%g", r.Setting))
	}
	for j, l := range s.Layers {
		best := map[string]float64{"sparsity": l.Advice.Sparsity, "clusters": float64(l.Advice.Codes), "bits": float64(l.Advice.Bits)}[t.name]
		for i, r := range t.rungs(l) {
			drawCell(d, left+cellWidth*float64(i), sensitivityTop+cellHeight*float64(j), r, s.Tolerance, r.Setting == best)
		}
	}
}

func drawCell(d *plot.Drawing, x, y float64, r temper.Rung, tolerance float64, best bool) {
	text, class, opacity := fmt.Sprintf("%.2f", 100*r.Loss+0), "low", 0.16
	if r.Over(tolerance) { // the logarithm of the loss, up to 20 points
		class, opacity = "high", 0.12+0.6*min(1, max(0, math.Log(100*r.Loss/0.2)/math.Log(20/0.2)))
	}
	if !r.Possible {
		text, opacity = "-", 0
	}
	if r.Loss >= 0.1 {
		text = fmt.Sprintf("%.1f", 100*r.Loss)
	}
	d.Rect(x+1, y+1, cellWidth-2, cellHeight-2, fmt.Sprintf(`class="cell %s" rx="3" fill-opacity="%.2f"`, class, opacity))
	if best {
		d.Rect(x+1.75, y+1.75, cellWidth-3.5, cellHeight-3.5, `class="frame" rx="3"`)
	}
	d.Text(x+cellWidth/2, y+cellHeight*0.66, "middle", "", text)
}

// shortened is a name with its middle left out where it is long.
func shortened(s string, n int) string {
	r := []rune(s)
	if len(r) <= n {
		return s
	}
	return string(r[:n/2-1]) + "…" + string(r[len(r)-n/2:])
}
