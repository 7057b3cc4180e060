package temper_test

import (
	"encoding/json"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/temper-ml/temper"

// policy says which of our packages a package may import (its tests may import more). A room stands for all packages in it unless they have a line
// of their own. A change needs a reason in RATIONALE.md.
var policy = map[string][]string{
	"internal/atomicfile":       {},
	"internal/compute":          {},
	"internal/golden":           {},
	"internal/plot":             {},
	"internal/report":           {"internal/plot"},
	"fakequant/quant":           {},
	"datasets":                  {"datasets/...", "internal/atomicfile"},
	"graph":                     {"internal/compute", "internal/atomicfile", "fakequant/quant"},
	"layers":                    {"graph"},
	"layers/models":             {"layers"},
	"optim":                     {"graph", "internal/compute"},
	"fakequant":                 {"graph", "fakequant/quant"},
	"sparsity":                  {"graph"},
	"clustering":                {"graph"},
	"export/tflite":             {"fakequant/quant", "internal/atomicfile", "export/tflite/internal/fb"},
	"export/tflite/internal/fb": {},
	"export/interp":             {"export/tflite", "fakequant/quant", "internal/compute"},
	"export":                    {"graph", "export/tflite", "fakequant/quant"},
	"internal/compute/gen":      {},
	"npu":                       {"npu/isa", "npu/mlw", "npu/arch", "npu/sim", "npu/perf", "export/tflite", "export/interp", "fakequant/quant"},
	"npu/isa":                   {},
	"npu/mlw":                   {},
	"npu/arch":                  {},
	"npu/perf":                  {"npu/isa", "npu/mlw", "npu/arch"},
	"npu/sim":                   {"npu/isa", "npu/mlw", "npu/arch", "fakequant/quant"},
}

// pure packages have no Gorgonia in all that they depend on: a firmware team can use them alone.
var pure = []string{"export/tflite", "export/interp", "fakequant/quant", "internal/compute", "datasets", "npu", "npu/isa", "npu/mlw", "npu/arch", "npu/sim", "npu/perf"}

// listed is what go list says of a package.
type listed struct {
	ImportPath    string
	Imports, Deps []string
}

func list(t *testing.T) map[string]listed {
	t.Helper()
	out, err := exec.Command("go", "list", "-json=ImportPath,Imports,Deps", "./...").Output()
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]listed{}
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p listed
		if err := d.Decode(&p); err == io.EOF {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all[strings.TrimPrefix(strings.TrimPrefix(p.ImportPath, module), "/")] = p
	}
}

// TestImports holds the arrows between the rooms.
func TestImports(t *testing.T) {
	for name, p := range list(t) {
		if name == "" || strings.HasPrefix(name, "cmd/") {
			continue // the façade and the command use all
		}
		allowed, ok := rule(name)
		if !ok {
			t.Errorf("%s has no line in the policy", name)
		}
		for _, i := range p.Imports {
			ours, found := strings.CutPrefix(i, module+"/")
			if found && !permits(allowed, ours) {
				t.Errorf("%s imports %s; allowed are %v", name, ours, allowed)
			}
		}
	}
}

// TestPure: no Gorgonia behind the packages that run without training.
func TestPure(t *testing.T) {
	all := list(t)
	for _, name := range pure {
		p, ok := all[name]
		if !ok {
			t.Errorf("package %s is gone", name)
		}
		for _, d := range p.Deps {
			if strings.HasPrefix(d, "gorgonia.org/") {
				t.Errorf("%s depends on %s", name, d)
			}
		}
	}
}

// TestOneDoorToGorgonia: only graph imports it.
func TestOneDoorToGorgonia(t *testing.T) {
	for name, p := range list(t) {
		for _, i := range p.Imports {
			if strings.HasPrefix(i, "gorgonia.org/") && name != "graph" {
				t.Errorf("%s imports %s; only graph does", name, i)
			}
		}
	}
}

// rule is the line of a package, or of the nearest room around it.
func rule(name string) ([]string, bool) {
	for at := name; ; {
		if allowed, ok := policy[at]; ok {
			return allowed, true
		}
		i := strings.LastIndex(at, "/")
		if i < 0 {
			return nil, false
		}
		at = at[:i]
	}
}

// permits finds a package in a line of the policy, by name or by "room/...".
func permits(allowed []string, name string) bool {
	return slices.ContainsFunc(allowed, func(a string) bool {
		room, all := strings.CutSuffix(a, "/...")
		return a == name || all && (name == room || strings.HasPrefix(name, room+"/"))
	})
}
