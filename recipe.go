package temper

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/temper-ml/temper/datasets"
	"github.com/temper-ml/temper/layers/models"
)

// Recipe says which network is trained on what, how, and how it is conditioned: one way by Steps, any number by Results.
type Recipe struct {
	Model   string  `yaml:"model"` // a name of layers/models, or a checkpoint file
	Data    string  `yaml:"data"`  // mnist, or a path: see datasets/open
	Train   Train   `yaml:"train"`
	Name    string  `yaml:"name"`  // of the result of Steps; default by its chain, such as pcqat
	Steps   []Step  `yaml:"steps"` // a chain: each step goes on with what the one before it made
	Results Results `yaml:"results"`
}

// Results are chains by name, in the order of the file.
type Results []NamedSteps

// NamedSteps is a way of conditioning the trained network. Where it does not end with ptq or qat, it ends with ptq.
type NamedSteps struct {
	Name  string // of the file; "": by the chain
	Steps []Step
}

// Step is a conditioner with its settings, and the training behind it; exactly one field is set.
type Step struct {
	Filters *FiltersStep `yaml:"filters" json:"filters,omitempty"`
	Prune   *PruneStep   `yaml:"prune" json:"prune,omitempty"`
	Cluster *ClusterStep `yaml:"cluster" json:"cluster,omitempty"`
	PTQ     *PTQStep     `yaml:"ptq" json:"ptq,omitempty"`
	QAT     *QATStep     `yaml:"qat" json:"qat,omitempty"`
}

// settings are those of a step.
type settings interface {
	Name() string
	Check() error
	defaults()
	tuning() Tuning
	Conditioner(train *datasets.Set, steps int) (Conditioner, error)
}

// settings is the field that is set, the first if there are several.
func (s Step) settings() settings {
	switch {
	case s.Filters != nil:
		return s.Filters
	case s.Prune != nil:
		return s.Prune
	case s.Cluster != nil:
		return s.Cluster
	case s.PTQ != nil:
		return s.PTQ
	case s.QAT != nil:
		return s.QAT
	}
	return nil
}

// check refuses a step without settings, and one with those of several.
func (s Step) check() error {
	js, err := json.Marshal(s)
	if err != nil {
		return err
	}
	var set map[string]json.RawMessage
	if err := json.Unmarshal(js, &set); err != nil {
		return err
	}
	if len(set) != 1 {
		return fmt.Errorf("a step is one of %s, and this is %d of them; without settings write its name alone, as in \"- ptq\"", strings.Join(stepNames(), ", "), len(set))
	}
	return nil
}

// Name is the step's name in recipes and tables.
func (s Step) Name() string { return s.settings().Name() }

// newStep is a step by name with its defaults.
func newStep(name string) (Step, error) {
	for _, s := range emptySteps() {
		if s.Name() == name {
			s.settings().defaults()
			return s, nil
		}
	}
	return Step{}, unknown("step", name, stepNames())
}

func emptySteps() []Step {
	return []Step{{Filters: &FiltersStep{}}, {Prune: &PruneStep{}}, {Cluster: &ClusterStep{}}, {PTQ: &PTQStep{}}, {QAT: &QATStep{}}}
}

func stepNames() []string { return names(emptySteps()) }

// set gives a field its default.
func set[T comparable](p *T, v T) {
	var zero T
	if *p == zero {
		*p = v
	}
}

// unknown is the error of a word that is not in a list.
func unknown(what, word string, known []string) error {
	hint := ""
	if near := nearest(word, known); near != "" {
		hint = fmt.Sprintf("; did you mean %q?", near)
	}
	return fmt.Errorf("%s %q is none of %s%s", what, word, strings.Join(known, ", "), hint)
}

// nearest is the known word with at most two characters changed, or "".
func nearest(word string, known []string) string {
	best, least := "", 3
	for _, k := range known {
		if d := distance(word, k); d < least {
			best, least = k, d
		}
	}
	return best
}

// distance is the number of changed, missing and extra characters (Levenshtein).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		last := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := last
			if a[i] != b[j] {
				cost = min(last, row[j], row[j+1]) + 1
			}
			last, row[j+1] = row[j+1], cost
		}
	}
	return row[len(b)]
}

func (r Recipe) check() error {
	if r.Model == "" || r.Data == "" {
		return fmt.Errorf("recipe: model and data are required (models: %s; data: mnist or a path)", strings.Join(models.Names(), ", "))
	}
	if filepath.Ext(r.Model) != checkpointExt && !slices.Contains(models.Names(), r.Model) {
		return fmt.Errorf("recipe: a model is a checkpoint (.temper) or a name: %w", unknown("model", r.Model, models.Names()))
	}
	if err := r.Train.Check(); err != nil {
		return fmt.Errorf("recipe: train: %w", err)
	}
	if r.Name != "" && len(r.Steps) == 0 {
		return fmt.Errorf("recipe: name %q is that of the result of steps, and there are none; those of results have their names already", r.Name)
	}
	if err := r.eachStep(Step.check); err != nil {
		return fmt.Errorf("recipe: %w", err)
	}
	seen := map[string]bool{floatName: true}
	for _, v := range r.chains() {
		if err := v.check(); err != nil {
			return fmt.Errorf("recipe: %w", err)
		}
		if seen[v.Name] {
			return fmt.Errorf("recipe: two results are called %s, and would be one file: give one another name", v.Name)
		}
		seen[v.Name] = true
	}
	return nil
}

// eachStep calls f with every step; its errors say which one it is.
func (r Recipe) eachStep(f func(Step) error) error {
	for _, v := range append(Results{{"steps", r.Steps}}, r.Results...) {
		for i, s := range v.Steps {
			if err := f(s); err != nil {
				return fmt.Errorf("%s, step %d: %w", v.Name, i+1, err)
			}
		}
	}
	return nil
}

// chains are all results, each with a name and ending quantized.
func (r Recipe) chains() Results {
	var all Results
	if len(r.Steps) > 0 {
		all = append(all, NamedSteps{r.Name, r.Steps})
	}
	all = append(all, r.Results...)
	for i, v := range all {
		if n := len(v.Steps); n == 0 || place(v.Steps[n-1].Name()) < len(order)-1 {
			ptq, _ := newStep(PTQStep{}.Name())
			all[i].Steps = append(slices.Clip(v.Steps), ptq)
		}
		if v.Name == "" {
			all[i].Name = chainName(names(all[i].Steps))
		}
	}
	return all
}

var fileName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)

func (v NamedSteps) check() error {
	if !fileName.MatchString(v.Name) {
		return fmt.Errorf("result %q: a name is that of a file: letters, digits, - and _", v.Name)
	}
	if err := checkOrder(names(v.Steps)); err != nil {
		hint := ""
		if slices.Equal(names(v.Steps), []string{"ptq", "qat"}) {
			hint = "; two results from one training are results: {ptq: [ptq], qat: [qat]}"
		}
		return fmt.Errorf("result %s: %w%s", v.Name, err, hint)
	}
	for _, s := range v.Steps {
		if err := s.settings().Check(); err != nil {
			return fmt.Errorf("result %s: %s: %w", v.Name, s.Name(), err)
		}
	}
	return nil
}

func names(steps []Step) []string {
	var all []string
	for _, s := range steps {
		all = append(all, s.Name())
	}
	return all
}

// chainName is what a chain is called: qat behind the initials of what comes before it (pqat, cqat, pcqat), and without qat the names of what
// trained (prune, prune-cluster), or ptq.
func chainName(names []string) string {
	last := len(names) - 1
	switch {
	case names[last] == "qat":
		s := ""
		for _, n := range names[:last] {
			s += n[:1]
		}
		return s + "qat"
	case names[last] == "ptq" && last > 0:
		last--
	}
	return strings.Join(names[:last+1], "-")
}

// stage is a step of a chain, with all before it.
type stage struct {
	step     settings
	label    string // of progress
	file     string // of its checkpoint; "" for one that does not train
	identity string
}

// stages are those of each chain. Two that are equal, with all before them, have one file and are trained once.
func (r Recipe) stages() (map[string][]stage, error) {
	base, err := r.identity()
	if err != nil {
		return nil, err
	}
	all := map[string][]stage{}
	taken := map[string]string{floatName: base} // identities by file
	for _, v := range r.chains() {
		for k := range v.Steps {
			prefix := v.Steps[:k+1]
			js, err := json.Marshal(prefix)
			if err != nil {
				return nil, err
			}
			s := stage{step: prefix[k].settings(), label: chainName(names(prefix)), identity: base + string(js)}
			if s.step.tuning().Epochs > 0 {
				file := s.label
				if k == len(v.Steps)-1 {
					file = v.Name
				}
				for taken[file] != "" && taken[file] != s.identity { // of other settings
					file = v.Name + "-" + file
				}
				taken[file], s.file = s.identity, file+checkpointExt
			}
			all[v.Name] = append(all[v.Name], s)
		}
	}
	return all, nil
}
