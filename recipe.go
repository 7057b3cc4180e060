package temper

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/temper-ml/temper/fakequant"
	"github.com/temper-ml/temper/layers/models"
)

// Recipe says which network is trained on what, how, and how it is conditioned.
type Recipe struct {
	Model string `yaml:"model"` // a name of layers/models, or a checkpoint file
	Data  string `yaml:"data"`  // mnist, or a path: see datasets/open
	Train Train  `yaml:"train"`
	Steps []Step `yaml:"steps"`
}

// Step is one way of conditioning the trained network; exactly one field is set.
type Step struct {
	PTQ *PTQStep `yaml:"ptq"`
	QAT *QATStep `yaml:"qat"`
}

// UnmarshalYAML reads a step; one without settings may be its bare name.
func (s *Step) UnmarshalYAML(unmarshal func(any) error) error {
	var name string
	if unmarshal(&name) == nil {
		return s.named(name)
	}
	type plain Step
	return unmarshal((*plain)(s))
}

func (s *Step) named(name string) error {
	switch name {
	case fakequant.PTQ{}.Name():
		s.PTQ = &PTQStep{}
	case fakequant.QAT{}.Name():
		s.QAT = &QATStep{}
	default:
		return unknown("step", name, []string{fakequant.PTQ{}.Name(), fakequant.QAT{}.Name()})
	}
	return nil
}

// Default is Arm's example: the small convolutional network on MNIST, five epochs, quantized after training and with one epoch of fine-tuning.
func Default() Recipe {
	r := Recipe{Model: "arm-example", Data: "mnist", Steps: []Step{{PTQ: &PTQStep{}}, {QAT: &QATStep{}}}}
	r.Train.defaults()
	r.stepDefaults()
	return r
}

func (r *Recipe) stepDefaults() {
	for _, s := range r.Steps {
		if s.PTQ != nil {
			s.PTQ.defaults()
		}
		if s.QAT != nil {
			s.QAT.defaults()
		}
	}
}

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
	seen := map[string]bool{}
	for _, s := range r.Steps {
		if seen[s.Name()] {
			return fmt.Errorf("recipe: step %s stands twice: both would write %s.tflite", s.Name(), s.Name())
		}
		seen[s.Name()] = true
		if err := s.check(); err != nil {
			return fmt.Errorf("recipe: %s: %w", s.Name(), err)
		}
	}
	return nil
}

func (s Step) check() error {
	if s.QAT != nil {
		return s.QAT.Check()
	}
	if s.PTQ != nil {
		return s.PTQ.Check()
	}
	return fmt.Errorf("a step without settings")
}

// Name is the step's name in tables and file names.
func (s Step) Name() string {
	if s.QAT != nil {
		return fakequant.QAT{}.Name()
	}
	return fakequant.PTQ{}.Name()
}
