package main

import (
	"bufio"
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/testscript"
)

// fakePython stands for the Python of --peer: it speaks the protocol of peer.py, with figures that the tests know. FAKE chooses a fault.
func fakePython() {
	fault, out := os.Getenv("FAKE"), json.NewEncoder(os.Stdout)
	if _, err := os.Stat(os.Args[1]); err != nil || filepath.Base(os.Args[1]) != "peer.py" || len(os.Args) != 7 {
		fmt.Fprintln(os.Stderr, "started with", os.Args, err)
		os.Exit(1)
	}
	parameters := map[string]int{"arm-example": 20106, "resnet-8": 78186}[os.Args[2]]
	switch fault {
	case "missing":
		out.Encode(benchReady{Error: missingPackage + ": No module named 'tf_keras'"})
		return
	case "dies":
		fmt.Fprintln(os.Stderr, "out of luck")
		os.Exit(1)
	case "garbage":
		fmt.Println("Hello, world")
		return
	case "other":
		parameters = 7
	}
	out.Encode(benchReady{Ready: true, Parameters: parameters, Versions: map[string]string{"fake": "1"}})
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		n, err := strconv.Atoi(in.Text())
		if err != nil {
			os.Exit(1)
		}
		if fault == "short" {
			n--
		}
		b := benchBlock{CPUMS: 100, PeakMB: 1000}
		for i := range n {
			b.MS = append(b.MS, float64(40+i))
		}
		out.Encode(b)
	}
}

// checkReport is the script command report FILE RESULTS alone|beside: the file is one object of nothing but what benchReport says, and what it
// measured is there.
func checkReport(ts *testscript.TestScript, _ bool, args []string) {
	var r benchReport
	d := json.NewDecoder(strings.NewReader(ts.ReadFile(args[0])))
	d.DisallowUnknownFields()
	ts.Check(d.Decode(&r))
	if _, err := d.Token(); err != io.EOF {
		ts.Fatalf("the file goes on after the object")
	}
	if n, err := strconv.Atoi(args[1]); err != nil || len(r.Results) != n {
		ts.Fatalf("%d results, want %s", len(r.Results), args[1])
	}
	for _, x := range r.Results {
		if len(x.Rounds) != r.Rounds || x.Parameters == 0 || x.MACs == 0 || !positive(x.MedianMS, x.MinMS, x.PerSecond, x.GFLOPS, x.OfPeak) {
			ts.Fatalf("%s: %+v", x.benchJob, x)
		}
		if p := x.Profile; p == nil || len(p.Stages) == 0 || len(p.Kinds) == 0 || !positive(p.Forward, p.Backward) {
			ts.Fatalf("%s: profile %+v", x.benchJob, x.Profile)
		}
		beside := args[2] == "beside"
		if beside != (x.Peer != nil) || beside != (x.Ratio != nil) {
			ts.Fatalf("%s: peer %+v, ratio %+v", x.benchJob, x.Peer, x.Ratio)
		}
		if beside && (x.Peer.MedianMS != 41 || x.Peer.MinMS != 40 || x.Peer.PeakMB != 1000 || !positive(x.Ratio.Median, x.Ratio.Min, x.Ratio.Low, x.Ratio.High)) {
			ts.Fatalf("%s: peer %+v, ratio %+v", x.benchJob, x.Peer, x.Ratio)
		}
	}
}

func positive(x ...float64) bool {
	for _, v := range x {
		if !(v > 0) || math.IsInf(v, 0) {
			return false
		}
	}
	return true
}

func result(batch, threads int, perSecond float64) benchResult {
	return benchResult{benchJob: benchJob{"net", "float", batch, threads}, benchSide: benchSide{PerSecond: perSecond}}
}

// TestScaling: each measurement is compared with the smallest of those that are alike but for one number.
func TestScaling(t *testing.T) {
	got := scaling([]benchResult{result(32, 2, 300), result(32, 1, 200), result(8, 1, 100), result(8, 2, 150), result(8, 4, 250)})
	type row struct{ batch, threads, from, to int }
	rows := func(s []benchScale) map[row]float64 {
		m := map[row]float64{}
		for _, x := range s {
			m[row{x.Batch, x.Threads, x.From, x.To}] = x.Speedup
		}
		return m
	}
	want := map[row]float64{{32, 2, 1, 2}: 1.5, {8, 2, 1, 2}: 1.5, {8, 4, 1, 4}: 2.5}
	if d := cmp.Diff(want, rows(got.Threads), cmp.AllowUnexported(row{})); d != "" {
		t.Errorf("threads (-want +got):\n%s", d)
	}
	want = map[row]float64{{32, 2, 8, 32}: 2, {32, 1, 8, 32}: 2}
	if d := cmp.Diff(want, rows(got.Batch), cmp.AllowUnexported(row{})); d != "" {
		t.Errorf("batch (-want +got):\n%s", d)
	}
	if s := scaling([]benchResult{result(8, 1, 100)}); s != nil {
		t.Errorf("one measurement scales: %+v", s)
	}
}

// TestRatios: of all steps together, and the range over the rounds. Without CPU time the ratio is 0, not infinite, which JSON cannot say.
func TestRatios(t *testing.T) {
	ours := side([]benchBlock{{MS: []float64{1, 3}, PeakMB: 50}, {MS: []float64{2, 2}, PeakMB: 40}}, 10, 5)
	peer := side([]benchBlock{{MS: []float64{4, 4}, CPUMS: 16, PeakMB: 200}, {MS: []float64{6, 8}, CPUMS: 12, PeakMB: 100}}, 10, 5)
	want := &benchRatio{Median: 2.5, Min: 4, CPU: 0, Low: 2, High: 3.5, Memory: 4}
	if d := cmp.Diff(want, ratios(ours, peer)); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

// TestPlot: the picture is well-formed whatever the names are, has a bar for each part and side, and stays within its width.
func TestPlot(t *testing.T) {
	x := result(8, 1, 100)
	x.Net, x.MedianMS = `<"net">&`, 10
	x.Profile = &benchProfile{Data: 1, Forward: 2, Backward: 4, Optimizer: 1, Rest: -0.5}
	x.Peer, x.Ratio = &benchSide{MedianMS: 30}, &benchRatio{Median: 3}
	svg := plotSVG(benchReport{Results: []benchResult{x}})
	bars := 0
	for d := xml.NewDecoder(strings.NewReader(svg)); ; {
		token, err := d.Token()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatalf("%v in\n%s", err, svg)
		}
		e, ok := token.(xml.StartElement)
		if !ok || e.Name.Local != "rect" {
			continue
		}
		at := map[string]float64{}
		for _, a := range e.Attr {
			at[a.Name.Local], _ = strconv.ParseFloat(a.Value, 64)
		}
		if at["x"]+at["width"] > plotWidth || at["width"] < 0 {
			t.Errorf("a bar at %v", at)
		}
		bars++
	}
	if want := 1 + 2*(len(plotParts)+1); bars != want { // the ground, the legend, the bars
		t.Errorf("%d rectangles, want %d", bars, want)
	}
}

// TestWholePeer: the two steps are added up, and what they wrote is listed.
func TestWholePeer(t *testing.T) {
	if testing.Short() {
		t.Skip("starts processes")
	}
	dir := t.TempDir()
	script := "#!/bin/sh\ncase $2 in qat) test -e $4/ptq || exit 9;; esac\ntouch $4/$2\n" +
		`echo "{\"accuracy\": 0.5, \"float_accuracy\": 0.75, \"bytes\": 7, \"seconds\": {\"train\": 2}}"` + "\n"
	python := filepath.Join(dir, "python")
	if err := os.WriteFile(python, []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat("/bin/sh"); err != nil {
		t.Skip("no shell")
	}
	b := &bencher{benchOptions: benchOptions{peer: python}, dir: dir}
	w, r := &benchWhole{Threads: 1, Epochs: 1}, benchRun{}
	if err := b.wholePeer(context.Background(), w, &r, "data.npz", filepath.Join(dir, "out")); err != nil {
		t.Fatal(err)
	}
	var files []string
	for _, f := range w.Files {
		files = append(files, fmt.Sprint(f.Side, " ", f.Step, " ", f.Accuracy, " ", f.Bytes))
	}
	want := []string{"peer float 0.75 0", "peer ptq 0.5 7", "peer qat 0.5 7"}
	if d := cmp.Diff(want, files); d != "" {
		t.Errorf("files (-want +got):\n%s", d)
	}
	if r.Parts["ptq train"] != 2 || r.Parts["qat train"] != 2 || !positive(r.PeerPTQ, r.PeerQAT) {
		t.Errorf("%+v", r)
	}
}

// TestTail: the end of what a process says is kept, however much it is.
func TestTail(t *testing.T) {
	var s tail
	for i := range 1000 {
		fmt.Fprintf(&s, "line %d\n", i)
	}
	if got := s.String(); len(got) > 4096 || !strings.HasSuffix(got, "line 999") {
		t.Errorf("%d bytes, ending in %q", len(got), got[len(got)-20:])
	}
}

// TestBenchData: both sides read the arrays that write makes; an autoencoder's has no classes.
func TestBenchData(t *testing.T) {
	for spec, want := range map[string]string{"resnet-8@8x6x3": "[8 6 3] 10 classes 4096", "autoencoder": "[640] 0 classes 4096"} {
		n, err := newBenchNet(spec)
		if err != nil {
			t.Fatal(err)
		}
		path, err := n.write(t.TempDir(), 16)
		if err != nil {
			t.Fatal(err)
		}
		s, err := readBenchData(path)
		if err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprint(s.Shape(), " ", len(s.Classes), " classes ", s.Len()); got != want {
			t.Errorf("%s: %s, want %s", spec, got, want)
		}
	}
	var usage usageError
	if _, err := newBenchNet("nothing@1x1x1"); !errors.As(err, &usage) {
		t.Errorf("an unknown network: %v", err)
	}
}
