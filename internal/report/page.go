// Package report writes a run as one HTML page that needs nothing else: no network, no script. It draws what it is given and measures nothing.
package report

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"math"
	"strings"
)

// Page is all that the page shows.
type Page struct {
	Network, Data string
	Weights       int     // of the network, in kernels
	Examples      int     // of the test set
	Float         float64 // accuracy of the network before conditioning; NaN: not known
	Results       []Result
	Trainings     []Training
}

// Result is an int8 file.
type Result struct {
	Name, File   string
	Chain        []string // the conditioners in order
	Accuracy     float64
	Bytes, Gzip  int64
	Entropy      int64   // bytes of the weights at the entropy of their codes
	Zeros        float64 // part of the weights
	Codes        int     // the most that a conditioned layer has
	Seconds      float64
	Audit        []Weights
	Layers       []Layer
	Noise        []Noise
	NoiseMissing string // why Noise is not there
}

// Training is a stage of the run. One that goes on with what another made has its name.
type Training struct {
	Name, After string
	Accuracy    []float64 // an epoch each, of training
	Loss        []float64
	Validation  []float64 // accuracy; nil without
}

// Weights is a weight tensor of a file.
type Weights struct {
	Tensor  string
	Count   int
	Zeros   float64 // part
	InFour  int
	Codes   int
	Bits    float64 // entropy a weight
	Bytes   float64 // at the entropy
	Promise string
	Broken  []string
}

// Layer are the weights of a layer before conditioning and in the file, as values.
type Layer struct {
	Name          string
	Before, After []float32
}

// Noise is the signal to quantization noise of a layer's output.
type Noise struct {
	Layer string
	SQNR  float64 // dB
}

//go:embed page.html
var pageText string

//go:embed page.css
var style string

var page = template.Must(template.New("page").Funcs(template.FuncMap{
	"percent": func(x float64) string { return fmt.Sprintf("%.2f %%", 100*x) },
	"part":    func(x float64) string { return fmt.Sprintf("%.1f %%", 100*x) },
	"points":  points,
	"kb":      func(n int64) string { return kb(float64(n)) },
	"kbf":     kb,
	"promise": func(s string) string {
		s = strings.Join(strings.Fields(s), ", ")
		return strings.NewReplacer("zeros=", "zeros ≥ ", "codes=", "codes ≤ ", "nm=", "", "block=", "blocks of ").Replace(s)
	},
	"bits": func(x float64) string { return fmt.Sprintf("%.2f", x) },
	"name": func(s string) template.HTML { // lines may end between its words
		return template.HTML(strings.NewReplacer("/", "/<wbr>", "_", "_<wbr>").Replace(template.HTMLEscapeString(s)))
	},
	"count":   thousands,
	"seconds": seconds,
	"number":  func(n int64) float64 { return float64(n) },
	"share": func(x, of float64) template.CSS {
		return template.CSS(fmt.Sprintf("width:%.1f%%", 100*min(1, max(0, x/max(of, 1e-9)))))
	},
	"decibel": func(x float64) string {
		if x >= 199 {
			return "exact"
		}
		return fmt.Sprintf("%.1f dB", x)
	},
}).Parse(pageText))

// Write writes the page.
func Write(w io.Writer, p Page) error {
	v := view{Page: p, Style: template.CSS(style), Summary: p.summary()}
	for _, r := range p.Results {
		v.LargestGzip = max(v.LargestGzip, float64(r.Gzip))
	}
	if len(p.Results) > 1 {
		v.Sizes = sizes(p)
	}
	if len(p.Trainings) > 0 {
		v.Curves = curves(p)
	}
	for i, r := range p.Results {
		d := detail{Result: r, Open: i == len(p.Results)-1, Largest: 0}
		for _, l := range r.Layers {
			d.Histograms = append(d.Histograms, histogram(l))
		}
		for _, n := range r.Noise {
			d.Largest = max(d.Largest, min(n.SQNR, 60))
		}
		v.Details = append(v.Details, d)
	}
	return page.Execute(w, v)
}

type view struct {
	Page
	Style       template.CSS
	Summary     string
	LargestGzip float64
	Sizes       template.HTML
	Curves      []curve
	Details     []detail
}

// Odd tells whether the charts fill rows of three better than rows of two.
func (v view) Odd() bool {
	n := len(v.Curves)
	if v.Sizes != "" {
		n++
	}
	return n == 3
}

// Steps is the chain in words, where its name does not say it.
func (r Result) Steps() string {
	if len(r.Chain) == 1 && r.Chain[0] == r.Name {
		return ""
	}
	return strings.Join(r.Chain, " → ")
}

// Known tells whether there is a float network to compare with.
func (v view) Known() bool { return !math.IsNaN(v.Float) }

// Vs is a result's accuracy against the float network's.
func (v view) Vs(r Result) string { return points(r.Accuracy - v.Float) }

// Lost tells whether a result lost more than a third of a point.
func (v view) Lost(r Result) bool { return v.Float-r.Accuracy > 0.003+1e-9 }

type detail struct {
	Result
	Open       bool
	Largest    float64
	Histograms []template.HTML
}

// curve is a picture of all trainings, with a legend.
type curve struct {
	Title, Note string
	Picture     template.HTML
	Legend      []legend
}

type legend struct {
	Name  string
	Class string // of its colour
}

// summary is the run in a sentence.
func (p Page) summary() string {
	if len(p.Results) == 0 {
		return ""
	}
	small, largest := p.Results[0], p.Results[0]
	for _, r := range p.Results {
		if r.Gzip < small.Gzip {
			small = r
		}
		if r.Gzip > largest.Gzip {
			largest = r
		}
	}
	s := fmt.Sprintf("%s is the smallest when compressed: %s", small.Name, kb(float64(small.Gzip)))
	if largest.Gzip > small.Gzip {
		s += fmt.Sprintf(", %.0f %% of %s", 100*float64(small.Gzip)/float64(largest.Gzip), largest.Name)
	}
	s += fmt.Sprintf(", at %.2f %% accuracy", 100*small.Accuracy)
	if !math.IsNaN(p.Float) {
		s += fmt.Sprintf(" (%s points against float)", points(small.Accuracy-p.Float))
	}
	return s + "."
}

func points(x float64) string {
	switch v := math.Round(1e4*x) / 100; {
	case math.IsNaN(x):
		return ""
	case v < 0:
		return fmt.Sprintf("−%.2f", -v)
	case v > 0:
		return fmt.Sprintf("+%.2f", v)
	}
	return "±0"
}

func kb(n float64) string {
	switch {
	case n < 1000:
		return fmt.Sprintf("%.0f B", n)
	case n < 1e6:
		return fmt.Sprintf("%.1f kB", n/1e3)
	}
	return fmt.Sprintf("%.2f MB", n/1e6)
}

func seconds(x float64) string {
	switch {
	case x < 10:
		return fmt.Sprintf("%.1f s", x)
	case x < 120:
		return fmt.Sprintf("%.0f s", x)
	}
	return fmt.Sprintf("%.0f min", x/60)
}

// thousands is a whole number in groups of three digits.
func thousands(n int) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "\u202f" + s[i:] // a narrow space at which no line ends
	}
	return s
}
