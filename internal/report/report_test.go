package report

import (
	"bytes"
	"encoding/xml"
	"io"
	"math"
	"regexp"
	"strings"
	"testing"
)

func written(t *testing.T, p Page) string {
	t.Helper()
	var b bytes.Buffer
	if err := Write(&b, p); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// example has two files, one with a broken promise, and names that are markup.
func example() Page {
	w := make([]float32, 1000)
	for i := range w {
		w[i] = float32(i%7-3) / 3
	}
	return Page{
		Network: "<script>alert(1)</script>", Data: "mnist", Weights: 34400, Examples: 10000, Float: 0.991,
		Results: []Result{
			{Name: "ptq", File: "ptq.tflite", Chain: []string{"ptq"}, Accuracy: 0.99, Bytes: 40000, Gzip: 32000, Seconds: 3},
			{Name: "pcqat", File: `"><img src=x>.tflite`, Chain: []string{"prune", "cluster", "qat"}, Accuracy: 0.985, Bytes: 40000, Gzip: 11500, Zeros: 0.8, Codes: 16,
				Audit:  []Weights{{Tensor: "a&b/kernel", Count: 9216, Zeros: 0.8, InFour: 2, Codes: 16, Bits: 1.5, Promise: "zeros=7373", Broken: []string{"promised are 7373 zeros"}}},
				Layers: []Layer{{Name: "<b>", Before: w, After: make([]float32, 1000)}, {Name: "nothing"}, {Name: "odd", After: []float32{float32(math.NaN()), 1}}},
				Noise:  []Noise{{"a&b", 41.2}, {"input", 200}, {"worse", -3}}},
		},
		Trainings: []Training{
			{Name: "float", Accuracy: []float64{0.9, 0.98}, Loss: []float64{0.3, 0.05}, Validation: []float64{0.91, 0.97}},
			{Name: "pcqat", After: "float", Accuracy: []float64{1}, Loss: []float64{0}},
		},
	}
}

// TestPage: one page, all of it there, nothing from outside, no number that is none, and names are texts.
func TestPage(t *testing.T) {
	s := written(t, example())
	for _, want := range []string{
		"pcqat is the smallest when compressed: 11.5 kB, 36 % of ptq, at 98.50 % accuracy (−0.60 points against float)",
		"34\u202f400 weights", "&lt;script&gt;alert(1)", "a&amp;b/<wbr>kernel", "prune → cluster → qat", "broken: promised are 7373 zeros", "41.2 dB", "exact", "2:4",
		"Accuracy in validation", `class="n lost"`, `viewport`, "prefers-color-scheme:dark",
	} {
		if !strings.Contains(s, want) {
			t.Errorf("%q is not on the page", want)
		}
	}
	for _, bad := range []string{"<script", "NaN", "Inf", "ZgotmplZ", "<img", "%!"} {
		if strings.Contains(s, bad) {
			t.Errorf("%q is on the page", bad)
		}
	}
	outside := regexp.MustCompile(`(src|href|url|@import)[=(" ]+(https?:)?//`)
	if m := outside.FindString(s); m != "" {
		t.Errorf("the page asks for %q", m)
	}
	for _, svg := range regexp.MustCompile(`(?s)<svg.*?</svg>`).FindAllString(s, -1) {
		for x := xml.NewDecoder(strings.NewReader(svg)); ; {
			if _, err := x.Token(); err == io.EOF {
				break
			} else if err != nil {
				t.Fatalf("%v\n%s", err, svg)
			}
		}
	}
}

// TestFewResults: pages of runs with little to show are pages.
func TestFewResults(t *testing.T) {
	full := example()
	for _, p := range []Page{{Float: math.NaN()}, {Results: full.Results[:1], Float: math.NaN()}, {Results: full.Results[:1], Trainings: []Training{{Name: "float"}}}} {
		if s := written(t, p); strings.Contains(s, "NaN") || !strings.HasSuffix(s, "</html>\n") {
			t.Error(s)
		}
	}
}
