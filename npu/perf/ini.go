package perf

import (
	"bufio"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// ReadConfig reads a vela.ini: sections [System_Config.NAME] and [Memory_Mode.NAME] of keys and values, which may inherit from other sections. Errors name line or
// section, and key. Keys that the model does not use are ignored.
func ReadConfig(r io.Reader) (Settings, error) {
	sections, order, err := readSections(r)
	if err != nil {
		return Settings{}, err
	}
	var s Settings
	for _, name := range order {
		keys, err := inherited(sections, name, 0)
		if err != nil {
			return s, err
		}
		switch kind, short, _ := strings.Cut(name, "."); kind {
		case "System_Config":
			x, err := systemOf(short, keys)
			if err != nil {
				return s, fmt.Errorf("section [%s]: %w", name, err)
			}
			s.Systems = append(s.Systems, x)
		case "Memory_Mode":
			x, err := modeOf(short, keys)
			if err != nil {
				return s, fmt.Errorf("section [%s]: %w", name, err)
			}
			s.Modes = append(s.Modes, x)
		}
	}
	return s, nil
}

func readSections(r io.Reader) (map[string]map[string]string, []string, error) {
	sections := map[string]map[string]string{}
	var order []string
	var current map[string]string
	lines := bufio.NewScanner(r)
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSpace(lines.Text())
		if line == "" || line[0] == ';' || line[0] == '#' {
			continue
		}
		if line[0] == '[' {
			name := strings.TrimSuffix(line[1:], "]")
			if len(name) == len(line)-1 || sections[name] != nil {
				return nil, nil, fmt.Errorf("line %d: %q is no new section", n, line)
			}
			current = map[string]string{}
			sections[name] = current
			order = append(order, name)
			continue
		}
		key, value, ok := strings.Cut(line, "=")
		if !ok || current == nil {
			return nil, nil, fmt.Errorf("line %d: %q is no key=value in a section", n, line)
		}
		current[strings.ToLower(strings.TrimSpace(key))] = strings.TrimSpace(value)
	}
	return sections, order, lines.Err()
}

// inherited are a section's keys with those of the sections that it builds on.
func inherited(sections map[string]map[string]string, name string, depth int) (map[string]string, error) {
	own, ok := sections[name]
	if !ok || depth > 16 {
		return nil, fmt.Errorf("section [%s], from which another inherits, is missing or inherits from itself", name)
	}
	all := map[string]string{}
	if from := own["inherit"]; from != "" {
		base, err := inherited(sections, from, depth+1)
		if err != nil {
			return nil, err
		}
		all = base
	}
	for k, v := range own {
		all[k] = v
	}
	return all, nil
}

// value reads a positive number, or what is there without the key.
func value(keys map[string]string, key string, without float64) (float64, error) {
	text, ok := keys[strings.ToLower(key)]
	if !ok {
		return without, nil
	}
	x, err := strconv.ParseFloat(text, 64)
	if err != nil || !(x >= 0 && x < 1e15) {
		return 0, fmt.Errorf("%s=%s is no number from 0", key, text)
	}
	return x, nil
}

func systemOf(name string, keys map[string]string) (System, error) {
	s := System{Name: name}
	var err error
	if s.Clock, err = value(keys, "core_clock", 0); err != nil {
		return s, err
	}
	if s.Clock == 0 {
		return s, fmt.Errorf("core_clock is missing or 0")
	}
	for i := range s.Port {
		key := fmt.Sprintf("axi%d_port", i)
		area := keys[key]
		if area == "" {
			return s, fmt.Errorf("%s is missing", key)
		}
		p := &s.Port[i]
		p.Name = area
		numbers := []struct {
			key     string
			without float64
			to      func(float64)
		}{
			{"_clock_scale", 1, func(x float64) { p.ClockScale = x }},
			{"_burst_length", 1, func(x float64) { p.Burst = int(x) }},
			{"_read_latency", 0, func(x float64) { p.ReadLatency = int(x) }},
			{"_write_latency", 0, func(x float64) { p.WriteLatency = int(x) }},
		}
		for _, n := range numbers {
			x, err := value(keys, area+n.key, n.without)
			if err != nil {
				return s, err
			}
			n.to(x)
		}
		if p.ClockScale == 0 || p.Burst == 0 {
			return s, fmt.Errorf("%s_clock_scale and %s_burst_length must be larger than 0", area, area)
		}
	}
	return s, nil
}

func modeOf(name string, keys map[string]string) (Mode, error) {
	m := Mode{Name: name}
	for _, a := range []struct {
		key string
		to  *int
	}{{"const_mem_area", &m.Const}, {"arena_mem_area", &m.Arena}, {"cache_mem_area", &m.Fast}} {
		switch v := keys[a.key]; strings.ToLower(v) {
		case "axi0":
			*a.to = 0
		case "axi1":
			*a.to = 1
		default:
			return m, fmt.Errorf("%s=%q is neither Axi0 nor Axi1", a.key, v)
		}
	}
	size, err := value(keys, "arena_cache_size", 0)
	m.FastSize = int(size)
	return m, err
}
