package graph

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"strconv"
	"strings"
)

// String is the text form of the graph, without the numbers in its Vars. Parse reads it back.
func (g *Graph) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "graph %s\n", g.Name)
	for _, v := range g.Inputs {
		fmt.Fprintf(&b, "input %s %v\n", v.Name, v.Shape)
	}
	for _, v := range g.Vars {
		fmt.Fprintf(&b, "var %s %v %s", v.Name, v.Shape, v.Role)
		if v.Trainable {
			b.WriteString(" trainable")
		}
		if v.Promise != nil && *v.Promise != (Promise{}) {
			fmt.Fprintf(&b, " %v", *v.Promise)
		}
		b.WriteByte('\n')
	}
	for _, o := range g.Ops {
		fmt.Fprintf(&b, "%s\n", o)
	}
	for _, v := range g.Outputs {
		fmt.Fprintf(&b, "output %s\n", v.Name)
	}
	return b.String()
}

// String is the Op's line in the text form.
func (o *Op) String() string {
	names := make([]string, len(o.In))
	for i, v := range o.In {
		names[i] = v.Name
	}
	attrs, err := json.Marshal(o.Kind)
	if err != nil {
		attrs = []byte(fmt.Sprintf("{%q:%q}", "error", err))
	}
	space := ""
	if string(attrs) != "{}" {
		space = " " + string(attrs)
	}
	return fmt.Sprintf("%s = %s(%s)%s %v", o.Name, KindName(o.Kind), strings.Join(names, ", "), space, o.Out.Shape)
}

// Parse reads the text form. Vars have zeros. The error names the line.
func Parse(text string) (*Graph, error) { return parse(text, maxVolume) }

// parse is Parse with a bound on the elements of all Vars together.
func parse(text string, maxElements int) (*Graph, error) {
	g := &Graph{}
	elements := 0
	names := map[string]*Value{}
	scan := bufio.NewScanner(strings.NewReader(text))
	scan.Buffer(nil, 1<<20)
	n := 1
	for ; scan.Scan(); n++ {
		line := strings.TrimSpace(scan.Text())
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		if err := g.parseLine(line, names); err != nil {
			return nil, fmt.Errorf("graph text, line %d: %w", n, err)
		}
		if strings.HasPrefix(line, "var ") {
			if elements += g.Vars[len(g.Vars)-1].Shape.Volume(); elements > maxElements {
				return nil, fmt.Errorf("graph text, line %d: the vars have more than %d elements together", n, maxElements)
			}
		}
	}
	if err := scan.Err(); err != nil {
		return nil, fmt.Errorf("graph text, line %d: %w", n, err)
	}
	for _, v := range g.Vars {
		v.Data = make([]float32, v.Shape.Volume())
	}
	if err := g.Check(); err != nil {
		return nil, fmt.Errorf("graph text: %w", err)
	}
	return g, nil
}

func (g *Graph) parseLine(line string, names map[string]*Value) error {
	word, rest, _ := strings.Cut(line, " ")
	if _, _, isOp := strings.Cut(line, " = "); isOp {
		return g.parseOp(line, names)
	}
	switch word {
	case "graph":
		g.Name = rest
		return checkName(rest)
	case "input", "var":
		name, rest, _ := strings.Cut(rest, " ")
		dims, rest, _ := strings.Cut(rest, " ")
		shape, err := parseShape(dims)
		if err != nil {
			return err
		}
		if names[name] != nil {
			return fmt.Errorf("the name %q is taken twice", name)
		}
		if err := checkName(name); err != nil {
			return err
		}
		if word == "input" {
			if rest != "" {
				return fmt.Errorf("input %s: text after the shape: %q", name, rest)
			}
			if !shape.Batched() {
				return fmt.Errorf("input %s: shape %v has no batch dimension", name, shape)
			}
			names[name] = &Value{Name: name, Shape: shape}
			g.Inputs = append(g.Inputs, names[name])
			return nil
		}
		role, flags, _ := strings.Cut(rest, " ")
		if !Role(role).known() {
			return fmt.Errorf("var %s: unknown role %q", name, role)
		}
		if shape.Batched() {
			return fmt.Errorf("var %s has a batch dimension", name)
		}
		v := &Var{Name: name, Shape: shape, Role: Role(role)}
		if err := v.parseFlags(flags); err != nil {
			return fmt.Errorf("var %s: %w", name, err)
		}
		v.Value = &Value{Name: name, Shape: shape, Var: v}
		g.Vars = append(g.Vars, v)
		names[name] = v.Value
		return nil
	case "output":
		v := names[rest]
		if v == nil {
			return fmt.Errorf("output %q is not defined", rest)
		}
		g.Outputs = append(g.Outputs, v)
		return nil
	}
	return fmt.Errorf("%q is neither graph, input, var, output nor NAME = KIND(...)", word)
}

// parseFlags reads what stands behind the role: "trainable", and what is promised.
func (v *Var) parseFlags(flags string) error {
	for _, word := range strings.Fields(flags) {
		if word == "trainable" {
			v.Trainable = true
			continue
		}
		if v.Promise == nil {
			v.Promise = &Promise{}
		}
		if err := v.Promise.parse(word); err != nil {
			return err
		}
	}
	return nil
}

func (g *Graph) parseOp(line string, names map[string]*Value) error {
	name, rest, _ := strings.Cut(line, " = ")
	kindName, rest, ok := strings.Cut(rest, "(")
	args, rest, ok2 := strings.Cut(rest, ")")
	if !ok || !ok2 {
		return fmt.Errorf("%s: want NAME = KIND(inputs)", name)
	}
	var in []*Value
	for _, a := range strings.Split(args, ",") {
		a = strings.TrimSpace(a)
		if names[a] == nil {
			return fmt.Errorf("%s reads %q, which is not defined before it", name, a)
		}
		in = append(in, names[a])
	}
	rest = strings.TrimSpace(rest)
	open := strings.LastIndexByte(rest, '[')
	if open < 0 {
		return fmt.Errorf("%s: the shape of the output is missing", name)
	}
	want, err := parseShape(rest[open:])
	if err != nil {
		return err
	}
	kind, err := parseKind(kindName, strings.TrimSpace(rest[:open]))
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	if names[name] != nil {
		return fmt.Errorf("the name %q is taken twice", name)
	}
	if err := checkName(name); err != nil {
		return err
	}
	o, err := makeOp(name, kind, in)
	if err != nil {
		return err
	}
	if !o.Out.Shape.Equal(want) {
		return fmt.Errorf("%s: written shape is %v, inferred %v", name, want, o.Out.Shape)
	}
	g.Ops = append(g.Ops, o)
	names[name] = o.Out
	return nil
}

// parseKind decodes the attributes, strictly, into a value of the registered type.
func parseKind(name, attrs string) (Kind, error) {
	d := defs[name]
	if d == nil {
		return nil, fmt.Errorf("unknown Kind %q; known are %s", name, strings.Join(Kinds(), ", "))
	}
	p := reflect.New(reflect.TypeOf(d.Kind))
	if attrs != "" {
		dec := json.NewDecoder(bytes.NewReader([]byte(attrs)))
		dec.DisallowUnknownFields()
		if err := dec.Decode(p.Interface()); err != nil {
			return nil, fmt.Errorf("attributes of %s: %w", name, err)
		}
		if dec.More() {
			return nil, fmt.Errorf("attributes of %s: text after the object", name)
		}
	}
	return p.Elem().Interface().(Kind), nil
}

func parseShape(s string) (Shape, error) {
	if len(s) < 2 || s[0] != '[' || s[len(s)-1] != ']' {
		return nil, fmt.Errorf("%q is not a shape like [batch,28,28,1]", s)
	}
	shape := Shape{}
	if s == "[]" {
		return shape, nil
	}
	for i, part := range strings.Split(s[1:len(s)-1], ",") {
		if part == "batch" && i == 0 {
			shape = append(shape, Batch)
			continue
		}
		d, err := strconv.Atoi(part)
		if err != nil || d <= 0 {
			return nil, fmt.Errorf("%q is not a shape like [batch,28,28,1]", s)
		}
		shape = append(shape, d)
	}
	return shape, shape.check()
}
