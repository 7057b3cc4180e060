package temper

import (
	"errors"
	"fmt"
	"math"
	"os"
	"reflect"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// maxRecipe is the size of a file that is no recipe.
const maxRecipe = 1 << 20

// ReadRecipe reads a recipe file. Unknown keys and wrong types are errors that name the line.
func ReadRecipe(path string) (Recipe, error) {
	info, err := os.Stat(path)
	if err != nil {
		return Recipe{}, err
	}
	if info.Size() > maxRecipe {
		return Recipe{}, fmt.Errorf("%s has %d bytes: not a recipe", path, info.Size())
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return Recipe{}, err
	}
	r, err := ParseRecipe(data)
	if err != nil {
		return Recipe{}, fmt.Errorf("%s: %w", path, err)
	}
	return r, nil
}

// ParseRecipe reads a recipe's text.
func ParseRecipe(data []byte) (r Recipe, err error) {
	defer func() {
		if p := recover(); p != nil { // the YAML reader on hostile input
			err = fmt.Errorf("recipe: not YAML: %v", p)
		}
	}()
	file, err := parser.ParseBytes(data, 0)
	if err != nil {
		return r, err
	}
	if err := oneDocument(file); err != nil {
		return r, err
	}
	if err := wholeNumbers(file); err != nil {
		return r, err
	}
	r.Train.defaults() // before reading: a 0 in the file stays 0
	if err := yaml.UnmarshalWithOptions(data, &r, yaml.Strict()); err != nil {
		return r, explain(err, file)
	}
	for i, s := range r.Steps {
		if (s.PTQ == nil) == (s.QAT == nil) {
			return r, fmt.Errorf("recipe: step %d must be one of ptq and qat; without settings write its name alone, as in \"- ptq\"", i+1)
		}
	}
	r.stepDefaults()
	return r, r.check()
}

// at is an error with a place in the recipe; its text shows the lines around it.
func at(t *token.Token, format string, args ...any) error {
	return &yaml.SyntaxError{Message: fmt.Sprintf(format, args...), Token: t}
}

// oneDocument refuses what the YAML reader would leave unread.
func oneDocument(file *ast.File) error {
	n := 0
	for _, d := range file.Docs {
		if d.Body == nil {
			continue
		}
		if n++; n > 1 {
			return at(d.Body.GetToken(), "a second document: a recipe is one")
		}
	}
	return nil
}

// wholeNumbers refuses fractions where whole numbers belong: the YAML reader would cut them off.
func wholeNumbers(file *ast.File) error {
	var found error
	eachValue(file, func(v *ast.MappingValueNode) {
		f, ok := v.Value.(*ast.FloatNode)
		if !ok || f.Value == math.Trunc(f.Value) || found != nil {
			return
		}
		if t := typeAt(v.Key.GetPath()); t != nil && t.Kind() >= reflect.Int && t.Kind() <= reflect.Uint64 {
			found = at(f.GetToken(), "%s %s: want a whole number", v.Key.GetToken().Value, f.GetToken().Value)
		}
	})
	return found
}

// explain says an error of the YAML reader in the words of recipes: the keys that a place has, the kind of value that a key takes.
func explain(err error, file *ast.File) error {
	var unknown *yaml.UnknownFieldError
	if errors.As(err, &unknown) {
		known := keys(reflect.TypeFor[Recipe]())
		eachValue(file, func(v *ast.MappingValueNode) {
			if v.Key.GetToken().Position.Offset != unknown.Token.Position.Offset {
				return
			}
			path := v.Key.GetPath()
			if here := keys(typeAt(path[:max(strings.LastIndex(path, "."), 0)])); here != nil {
				known = here
			}
		})
		if near := nearest(unknown.Token.Value, known); near != "" {
			return fmt.Errorf("%w\ndid you mean %q?", err, near)
		}
		return fmt.Errorf("%w\nkeys here are %s", err, strings.Join(known, ", "))
	}
	var wrong *yaml.TypeError
	if errors.As(err, &wrong) {
		return at(wrong.Token, "%s: want %s", wrong.Token.Value, word(wrong.DstType))
	}
	var wide *yaml.OverflowError
	if errors.As(err, &wide) {
		return at(wide.Token, "%s: want %s", wide.SrcNum, word(wide.DstType))
	}
	return err
}

// eachValue calls f for every key with its value.
func eachValue(file *ast.File, f func(*ast.MappingValueNode)) {
	for _, d := range file.Docs {
		if d.Body == nil {
			continue
		}
		for _, n := range ast.Filter(ast.MappingValueType, d.Body) {
			f(n.(*ast.MappingValueNode))
		}
	}
}

// typeAt is the type of the value at a path such as $.steps[0].ptq.layers; nil where recipes have none.
func typeAt(path string) reflect.Type {
	t := reflect.TypeFor[Recipe]()
	for _, part := range strings.Split(path, ".")[1:] {
		part, _, _ = strings.Cut(part, "[")
		if t = field(t, part); t == nil {
			return nil
		}
	}
	return element(t)
}

// element is the type behind pointers and lists.
func element(t reflect.Type) reflect.Type {
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice {
		t = t.Elem()
	}
	return t
}

// field is the type of the value of a key.
func field(t reflect.Type, key string) reflect.Type {
	if t = element(t); t.Kind() != reflect.Struct {
		return nil
	}
	for i := range t.NumField() {
		f := t.Field(i)
		name, options, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		if name == key {
			return f.Type
		}
		if options == "inline" {
			if inner := field(f.Type, key); inner != nil {
				return inner
			}
		}
	}
	return nil
}

// keys are the keys of a mapping, from the tags of its type.
func keys(t reflect.Type) []string {
	if t == nil || element(t).Kind() != reflect.Struct {
		return nil
	}
	var all []string
	for t, i := element(t), 0; i < t.NumField(); i++ {
		name, options, _ := strings.Cut(t.Field(i).Tag.Get("yaml"), ",")
		if options == "inline" {
			all = append(all, keys(t.Field(i).Type)...)
		} else if name != "" {
			all = append(all, name)
		}
	}
	return all
}

// word is what a value of a type is called in a recipe.
func word(t reflect.Type) string {
	switch k := t.Kind(); {
	case k >= reflect.Uint && k <= reflect.Uint64:
		return "a whole number, not negative"
	case k >= reflect.Int && k <= reflect.Uint64:
		return "a whole number"
	case k == reflect.Float32 || k == reflect.Float64:
		return "a number"
	case k == reflect.Bool:
		return "true or false"
	case k == reflect.String:
		return "a text"
	case k == reflect.Slice:
		return "a list"
	}
	return "keys with values"
}
