package graph

import "fmt"

// Pass rewrites a graph in place.
type Pass struct {
	Name string
	Run  func(*Graph) error
}

// Apply runs passes in order and checks the graph after each. On an error the graph may be half rewritten: apply passes to a Clone where the
// original must survive.
func Apply(g *Graph, passes ...Pass) error {
	for _, p := range passes {
		if err := p.Run(g); err != nil {
			return fmt.Errorf("pass %s: %w", p.Name, err)
		}
		if err := g.Check(); err != nil {
			return fmt.Errorf("after pass %s: %w", p.Name, err)
		}
	}
	return nil
}
