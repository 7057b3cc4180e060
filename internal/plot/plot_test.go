package plot

import (
	"encoding/xml"
	"io"
	"math"
	"strings"
	"testing"
)

// TestTicks: round numbers within the range, neither few nor many, at all sizes.
func TestTicks(t *testing.T) {
	for _, c := range []struct{ lo, hi float64 }{{0, 1}, {0.973, 0.9915}, {-3, 12345}, {1e-9, 3e-9}, {0, 7}, {95, 100}} {
		ticks := Ticks(c.lo, c.hi, 5)
		if len(ticks) < 3 || len(ticks) > 9 {
			t.Errorf("%v: %v", c, ticks)
		}
		for _, x := range ticks {
			if x < c.lo-1e-6*(c.hi-c.lo) || x > c.hi+1e-6*(c.hi-c.lo) {
				t.Errorf("%v: %v", c, ticks)
			}
		}
	}
	for _, c := range [][2]float64{{1, 1}, {2, 1}, {math.NaN(), 1}, {0, math.Inf(1)}} {
		if n := len(Ticks(c[0], c[1], 5)); n != 1 {
			t.Errorf("%v: %d ticks", c, n)
		}
	}
}

// TestSVG: whatever texts and numbers there are, the picture is well-formed.
func TestSVG(t *testing.T) {
	d := &Drawing{Width: 10, Height: 10}
	d.Group(`class="a"`, "a <b>", func() {
		d.Text(1, 2, "start", "", `<script> & "`)
		d.Path([][2]float64{{0, 0}, {math.NaN(), 1}}, `fill="none"`)
	})
	d.Path(nil, "")
	d.Rect(0, 0, -1, 5, "")
	d.Circle(1, 1, 1, "", "x")
	s := d.File("t", "text{fill:red}")
	if strings.Contains(s, "<script>") || strings.Contains(s, "NaN") {
		t.Error(s)
	}
	x := xml.NewDecoder(strings.NewReader(s))
	for {
		if _, err := x.Token(); err == io.EOF {
			break
		} else if err != nil {
			t.Fatalf("%v\n%s", err, s)
		}
	}
}
