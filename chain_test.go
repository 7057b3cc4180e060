package temper

import (
	"context"
	"strings"
	"testing"

	"github.com/temper-ml/temper/clustering"
	"github.com/temper-ml/temper/export"
	"github.com/temper-ml/temper/fakequant"
	"github.com/temper-ml/temper/graph"
	"github.com/temper-ml/temper/optim"
	"github.com/temper-ml/temper/sparsity"
)

// TestOrder: a wrong order is refused with its reason and the right one; conditioners of somebody else may stand anywhere.
func TestOrder(t *testing.T) {
	for _, c := range []struct{ names, want string }{
		{"filters prune cluster qat", ""},
		{"cluster ptq", ""},
		{"mine prune mine qat mine", ""},
		{"cluster prune ptq", "prune comes before cluster: behind a codebook a mask would bring a value that is none of its centroids"},
		{"qat cluster", "cluster comes before qat: a quantizer takes over the scales of the codebook"},
		{"qat prune filters", "prune comes before qat"},
		{"prune cluster filters ptq", "the order is filters, prune, cluster, ptq"},
		{"prune prune", "prune stands twice"},
		{"ptq qat", "ptq and qat exclude each other"},
	} {
		err := checkOrder(strings.Fields(c.names))
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: %v, want %q", c.names, err, c.want)
		}
	}
}

// TestChainNames: what results are called.
func TestChainNames(t *testing.T) {
	for chain, want := range map[string]string{
		"ptq": "ptq", "qat": "qat", "prune ptq": "prune", "cluster ptq": "cluster", "prune cluster ptq": "prune-cluster", "prune": "prune",
		"prune qat": "pqat", "cluster qat": "cqat", "prune cluster qat": "pcqat", "filters prune qat": "fpqat",
	} {
		if got := chainName(strings.Fields(chain)); got != want {
			t.Errorf("%s is called %s, want %s", chain, got, want)
		}
	}
}

// TestNamedRecipes reads every row of the table; the default is all of ours.
func TestNamedRecipes(t *testing.T) {
	for _, row := range rows {
		r, err := NamedRecipe(row.name)
		if err != nil || len(r.chains()) != 1 {
			t.Errorf("%s: %+v, %v", row.name, r, err)
		}
	}
	if r, err := Default(); err != nil || len(r.chains()) != 8 || r.Train.Epochs != 5 {
		t.Errorf("%+v, %v", r, err)
	}
	if r, err := NamedRecipe("pqat", "all", "pqat", "arm"); err != nil || len(r.Results) != 12 || r.Results[0].Name != "pqat" {
		t.Errorf("%+v, %v", r, err)
	}
}

// TestChain: a program's chain, applied at once and trained with its schedules; an error in the middle leaves the graph as it was.
func TestChain(t *testing.T) {
	train, _, err := OpenData(context.Background(), stripes(t), nil)
	if err != nil {
		t.Fatal(err)
	}
	g, err := Network("arm-example", 1, train)
	if err != nil {
		t.Fatal(err)
	}
	all := []sparsity.Rule{{Match: "*"}}
	chain := Chain{
		sparsity.Prune{Schedule: sparsity.Polynomial{Final: 0.5, End: 8, Frequency: 2}, Rules: all},
		clustering.Cluster{Codes: 8, Rules: []clustering.Rule{{Match: "*"}}},
		fakequant.QAT{Config: fakequant.Config{Calibration: train.Sample(20, 1)}},
	}
	fit := optim.Fit{Loss: optim.SoftmaxCrossEntropy{}, Batch: 32}
	steps := fit.Steps(train)
	if err := chain.Fits(steps); err != nil {
		t.Fatal(err)
	}
	if err := chain.Fits(7); err == nil || !strings.Contains(err.Error(), "prune: the schedule ends at step 8, the training at step 7") {
		t.Error(err)
	}
	once := g.Clone()
	if err := chain.Apply(g); err != nil {
		t.Fatal(err)
	}
	if h, err := fit.Run(context.Background(), g, train, chain.Hooks()...); err != nil || h.Steps != steps {
		t.Fatalf("%+v, %v", h, err)
	}
	if err := chain.AtOnce(once); err != nil {
		t.Fatal(err)
	}
	for _, g := range []*graph.Graph{g, once} {
		_, rows, err := export.Audited(g, export.Options{})
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range rows {
			if r.Sparsity() < 0.49 || r.Codes > 8 || r.Promise == "" {
				t.Errorf("%+v", r)
			}
		}
	}
	before := once.String()
	if err := (Chain{sparsity.Filters{Ratio: 0.5}, clustering.Cluster{Codes: 1}}).AtOnce(once); err == nil || once.String() != before {
		t.Errorf("error %v, and the graph is another", err)
	}
}
