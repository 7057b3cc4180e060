package arch

import "testing"

// TestConfig: the configuration words of the driver's hardware, as Vela writes them.
func TestConfig(t *testing.T) {
	want := map[string]uint32{"ethos-u55-32": 0x1005, "ethos-u55-64": 0x1006, "ethos-u55-128": 0x1807, "ethos-u55-256": 0x3008, "ethos-u65-256": 0x10003008,
		"ethos-u65-512": 0x10006009}
	for _, name := range Targets() {
		a, err := Find(name)
		if err != nil {
			t.Fatal(err)
		}
		if a.Config() != want[name] {
			t.Errorf("%s: 0x%x, want 0x%x", name, a.Config(), want[name])
		}
		if b, err := FromConfig(want[name]); err != nil || b.Name != name {
			t.Errorf("0x%x is %s, %v", want[name], b.Name, err)
		}
	}
	for _, w := range []uint32{0x20000118, 0} {
		if _, err := FromConfig(w); err == nil {
			t.Errorf("0x%x is a target", w)
		}
	}
	for _, name := range []string{"ethos-u85-256", "ethos-u55", ""} {
		if _, err := Find(name); err == nil {
			t.Errorf("%q is a target", name)
		}
	}
}
