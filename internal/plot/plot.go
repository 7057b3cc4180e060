// Package plot writes SVG pictures: what charts have in common, and no chart.
package plot

import (
	"fmt"
	"html"
	"math"
	"strconv"
	"strings"
)

// Drawing collects the elements of a picture. Coordinates are in units of the picture, from its upper left corner. Attributes are SVG's, written as they
// are; texts are escaped.
type Drawing struct {
	Width, Height float64
	body          strings.Builder
}

// Rect is a rectangle. Widths under 0 draw nothing.
func (d *Drawing) Rect(x, y, width, height float64, attributes string) {
	if width > 0 && height > 0 {
		fmt.Fprintf(&d.body, `<rect x="%s" y="%s" width="%s" height="%s"%s/>`+"\n", num(x), num(y), num(width), num(height), space(attributes))
	}
}

// Line is a straight line.
func (d *Drawing) Line(x1, y1, x2, y2 float64, attributes string) {
	fmt.Fprintf(&d.body, `<line x1="%s" y1="%s" x2="%s" y2="%s"%s/>`+"\n", num(x1), num(y1), num(x2), num(y2), space(attributes))
}

// Circle is a circle; title is shown where a pointer rests on it, if not "".
func (d *Drawing) Circle(x, y, r float64, attributes, title string) {
	fmt.Fprintf(&d.body, `<circle cx="%s" cy="%s" r="%s"%s>%s</circle>`+"\n", num(x), num(y), num(r), space(attributes), tip(title))
}

// Path is a line through points, or an outline where attributes fill it.
func (d *Drawing) Path(points [][2]float64, attributes string) {
	for i, p := range points {
		d.body.WriteString([]string{"<path d=\"M", "L"}[min(i, 1)] + num(p[0]) + " " + num(p[1]))
	}
	if len(points) > 0 {
		fmt.Fprintf(&d.body, `"%s/>`+"\n", space(attributes))
	}
}

// Text is a text at (x, y), which is its start, middle or end on the base line, as anchor says.
func (d *Drawing) Text(x, y float64, anchor, attributes, text string) {
	fmt.Fprintf(&d.body, `<text x="%s" y="%s" text-anchor="%s"%s>%s</text>`+"\n", num(x), num(y), anchor, space(attributes), html.EscapeString(text))
}

// Group draws with attributes in common, and a title.
func (d *Drawing) Group(attributes, title string, draw func()) {
	fmt.Fprintf(&d.body, "<g%s>%s\n", space(attributes), tip(title))
	draw()
	d.body.WriteString("</g>\n")
}

// SVG is the picture as an element. attributes are those of the element; title is what a screen reader says.
func (d *Drawing) SVG(title, attributes string) string {
	return fmt.Sprintf(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %s %s" role="img" aria-label="%s"%s>`+"\n%s</svg>\n",
		num(d.Width), num(d.Height), html.EscapeString(title), space(attributes), d.body.String())
}

// File is the picture as a file of its own, with a style sheet.
func (d *Drawing) File(title, style string) string {
	svg := d.SVG(title, fmt.Sprintf(`width="%s" height="%s" font-family="system-ui, sans-serif" font-size="12"`, num(d.Width), num(d.Height)))
	head, body, _ := strings.Cut(svg, "\n")
	return head + "\n<style>" + style + "</style>\n<rect class=\"page\" width=\"100%\" height=\"100%\"/>\n" + body
}

// Ticks are round numbers from lo to hi, about n of them.
func Ticks(lo, hi float64, n int) []float64 {
	if !(hi > lo) || math.IsInf(hi-lo, 0) || n < 1 {
		return []float64{lo}
	}
	raw := (hi - lo) / float64(n)
	step := math.Pow(10, math.Floor(math.Log10(raw)))
	for _, f := range []float64{2, 2.5, 2} {
		if step*1.4 < raw {
			step *= f
		}
	}
	var ticks []float64
	first := math.Ceil(lo/step - 1e-9)
	for i := 0.0; (first+i)*step <= hi+step*1e-9; i++ {
		ticks = append(ticks, (first+i)*step)
	}
	return ticks
}

// num is a coordinate to a hundredth.
func num(x float64) string {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return "0"
	}
	return strconv.FormatFloat(math.Round(x*100)/100+0, 'f', -1, 64)
}

func space(attributes string) string {
	if attributes == "" {
		return ""
	}
	return " " + attributes
}

func tip(title string) string {
	if title == "" {
		return ""
	}
	return "<title>" + html.EscapeString(title) + "</title>"
}
