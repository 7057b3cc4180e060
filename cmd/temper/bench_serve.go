package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/temper-ml/temper/datasets"
	"github.com/temper-ml/temper/graph"
	"github.com/temper-ml/temper/layers"
	"github.com/temper-ml/temper/optim"
)

// benchServe is Temper's side of the protocol.
func (a *app) benchServe() *cobra.Command {
	return &cobra.Command{
		Use:    "serve NETWORK MODE BATCH THREADS DATA.npz",
		Short:  "Train in blocks of steps, as standard input asks",
		Hidden: true,
		Args:   exactly(5, "NETWORK MODE BATCH THREADS DATA.npz"),
		RunE: func(cmd *cobra.Command, args []string) error {
			batch, err := strconv.Atoi(args[2])
			threads, err2 := strconv.Atoi(args[3])
			if err := errors.Join(err, err2); err != nil || batch < 1 || threads < 1 {
				return usageError{fmt.Errorf("batch %s and threads %s must be positive numbers", args[2], args[3])}
			}
			runtime.GOMAXPROCS(threads)
			s := &benchServer{in: bufio.NewScanner(cmd.InOrStdin()), out: json.NewEncoder(a.out), batch: batch, base: peakMB()}
			if err := s.prepare(args[0], args[1], args[4]); err != nil {
				return err
			}
			return s.serve(cmd)
		},
	}
}

const benchWarm = 5 // steps before the first that counts

// benchServer trains, and stops after each block until the next is asked for.
type benchServer struct {
	in    *bufio.Scanner
	out   *json.Encoder
	batch int
	base  float64 // MB resident at the start
	g     *graph.Graph
	data  *datasets.Set
	hooks []optim.Hook
	times graph.Times

	parameters int // trainable ones, before the mode added its own

	last, begun   time.Time // end of the step before; when the data of this one was there
	block         benchBlock
	want          int
	cpu           float64
	mem           runtime.MemStats
	waited, total time.Duration // of the block
}

func (s *benchServer) prepare(net, mode, file string) (err error) {
	if s.data, err = readBenchData(file); err != nil {
		return err
	}
	if s.data.Len() < s.batch {
		return usageError{fmt.Errorf("batch %d is larger than the data, %d examples", s.batch, s.data.Len())}
	}
	s.data = s.data.Take(0, s.data.Len()/s.batch*s.batch) // whole batches, as on the other side
	if s.g, err = (benchNet{name: net, input: s.data.Shape(), classes: len(s.data.Classes)}).graph(); err != nil {
		return err
	}
	m, err := benchModeOf(mode)
	if err != nil {
		return err
	}
	s.parameters = layers.Summary(s.g).Trainable
	s.hooks, err = m.condition(s.g, s.data)
	return err
}

var errServed = errors.New("standard input ended")

func (s *benchServer) serve(cmd *cobra.Command) error {
	var loss graph.Loss = optim.SoftmaxCrossEntropy{}
	if s.data.Classes == nil {
		loss = optim.MeanSquaredError{}
	}
	hook := optim.Hook{
		BeforeStep: func(*graph.Graph, int) error { s.begun = time.Now(); return nil },
		AfterStep:  s.afterStep,
	}
	fit := optim.Fit{Loss: loss, Batch: s.batch, Epochs: 1 << 30, Seed: 1, Session: []graph.Option{graph.Timed(&s.times)}}
	_, err := fit.Run(cmd.Context(), s.g, s.data, append([]optim.Hook{hook}, s.hooks...)...)
	if errors.Is(err, errServed) {
		return nil
	}
	return err
}

// afterStep counts a step, and after the last of a block answers and waits for the next request.
func (s *benchServer) afterStep(step int, _ float64) error {
	now := time.Now()
	switch {
	case step < benchWarm:
		return nil
	case step == benchWarm:
		if err := s.out.Encode(benchReady{Ready: true, Parameters: s.parameters, BaseMB: s.base}); err != nil {
			return err
		}
		return s.next()
	}
	s.block.MS = append(s.block.MS, 1000*now.Sub(s.last).Seconds())
	s.waited += s.begun.Sub(s.last)
	s.total += now.Sub(s.last)
	s.last = now
	if len(s.block.MS) < s.want {
		return nil
	}
	if err := s.answer(); err != nil {
		return err
	}
	return s.next()
}

// next reads a request.
func (s *benchServer) next() error {
	if !s.in.Scan() {
		return errServed
	}
	number, what, _ := strings.Cut(strings.TrimSpace(s.in.Text()), " ")
	n, err := strconv.Atoi(number)
	if err != nil || n < 1 || what != "" && what != "profile" {
		return fmt.Errorf("request %q: want a number of steps, and perhaps the word profile", s.in.Text())
	}
	s.block, s.want, s.waited, s.total = benchBlock{MS: make([]float64, 0, n)}, n, 0, 0
	s.times.Reset()
	s.times.On = what == "profile"
	runtime.ReadMemStats(&s.mem)
	s.cpu = cpuMS()
	s.last = time.Now()
	return nil
}

func (s *benchServer) answer() error {
	var after runtime.MemStats
	s.block.CPUMS = cpuMS() - s.cpu
	runtime.ReadMemStats(&after)
	s.block.Allocs, s.block.AllocBytes = float64(after.Mallocs-s.mem.Mallocs), float64(after.TotalAlloc-s.mem.TotalAlloc)
	s.block.PeakMB = peakMB()
	if s.times.On {
		s.block.Profile = s.profile()
	}
	return s.out.Encode(s.block)
}

// benchProfile says where a step goes, in milliseconds.
type benchProfile struct {
	Data      float64      `json:"data_ms"` // waiting for the batch, which another goroutine fills meanwhile
	Forward   float64      `json:"forward_ms"`
	Backward  float64      `json:"backward_ms"`
	Optimizer float64      `json:"optimizer_ms"` // the solver, the accuracy metric, a conditioner's own work
	Rest      float64      `json:"rest_ms"`      // the loss, the input's copy, Gorgonia's machine
	Stages    []benchStage `json:"stages"`
	Kinds     []benchStage `json:"kinds"`
}

// benchStage is a part of the network: what a session runs as one, or all of those of one Kind.
type benchStage struct {
	Name     string  `json:"name"`
	Kinds    string  `json:"kinds"`
	Forward  float64 `json:"forward_ms"`
	Backward float64 `json:"backward_ms"`
	MFLOP    float64 `json:"mflop"` // of a batch, forward and backward, as direct convolutions
	GFLOPS   float64 `json:"gflops,omitempty"`
}

func (s *benchServer) profile() *benchProfile {
	n := float64(s.want)
	ms := func(d time.Duration) float64 { return 1000 * d.Seconds() / n }
	p := &benchProfile{Data: ms(s.waited), Optimizer: ms(s.total - s.waited - s.times.Step), Rest: ms(s.times.Step)}
	macs := map[string]int{}
	for _, r := range layers.Summary(s.g).Rows {
		macs[r.Layer] = r.MACs
	}
	at := map[string]int{}
	for _, t := range s.times.Stages {
		st := benchStage{Name: t.Ops[0].Name, Forward: ms(t.Forward), Backward: ms(t.Backward)}
		var kinds []string
		for _, o := range t.Ops {
			kinds = append(kinds, graph.KindName(o.Kind))
			if o.IsLinear() {
				passes := 6.0 // a product and a sum; forward, data gradient, kernel gradient
				if o.In[0] == s.g.Input() {
					passes = 4
				}
				st.MFLOP += passes * float64(macs[layerOf(o)]) * float64(s.batch) / 1e6
			}
		}
		st.Kinds = strings.Join(kinds, "+")
		p.Forward += st.Forward
		p.Backward += st.Backward
		p.Stages = append(p.Stages, st.rated())
		i, ok := at[st.Kinds]
		if !ok {
			i = len(p.Kinds)
			at[st.Kinds] = i
			p.Kinds = append(p.Kinds, benchStage{Name: st.Kinds, Kinds: st.Kinds})
		}
		k := &p.Kinds[i]
		k.Forward += st.Forward
		k.Backward += st.Backward
		k.MFLOP += st.MFLOP
		*k = k.rated()
	}
	p.Rest -= p.Forward + p.Backward
	return p
}

func (s benchStage) rated() benchStage {
	if t := s.Forward + s.Backward; t > 0 {
		s.GFLOPS = s.MFLOP / t
	}
	return s
}

// layerOf is the layer of an Op as a summary names it.
func layerOf(o *graph.Op) string {
	if d := path.Dir(o.Name); d != "." {
		return d
	}
	return o.Name
}
