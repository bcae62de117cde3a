package trainer

import (
	"fmt"
	"slices"

	"flowmatch/models"
)

// Begin fills m with the checkpoint's weights, for a run that is to begin with them: the
// same network, but perhaps of other classes, whose names are given. Classes that the
// checkpoint knows by name keep their rows of the table of classes; the others, and
// those of a file without a record that has another number of them, stay as they are in
// m. It says in a few words what became of them, "" where the network takes none.
func (c *Checkpoint) Begin(m models.Network, names []string) (classes string, err error) {
	n := m.Config()
	rows := c.rowsFor(n, names)
	d, err := models.ClassRows(m, c.Tensors, rows)
	if err == nil {
		err = models.Load(m, d)
	}
	if err != nil {
		return "", fmt.Errorf("%s: %w", c.Path, err)
	}
	if n.Classes() == 0 {
		return "", nil
	}
	known := 0
	for _, from := range rows[:n.Classes()] {
		if from >= 0 {
			known++
		}
	}
	switch {
	case n.Classes() == 1 && known == 1:
		return "it knows the only class", nil
	case n.Classes() == 1:
		return "it does not know the only class, which starts fresh", nil
	case known == n.Classes():
		return fmt.Sprintf("it knows all %d classes", known), nil
	case known == 0:
		return fmt.Sprintf("it knows none of the %d classes, which start fresh", n.Classes()), nil
	}
	return fmt.Sprintf("it knows %d of the %d classes, the others start fresh", known, n.Classes()), nil
}

// rowsFor are the checkpoint's rows of the classes, -1 for those it does not have.
func (c *Checkpoint) rowsFor(n models.Config, names []string) []int {
	have := int(models.LabelRows(n.Kind(), c.Tensors))
	classes, null := have, false
	var theirs []string
	if c.Record != nil {
		theirs = c.Record.Dataset.ClassNames
		if own, err := c.Record.Network(); err == nil && own.HasNullClass() {
			classes, null = have-1, true
		}
	} else if have == n.Classes()+1 {
		classes, null = have-1, true
	}
	var rows []int
	for i := range n.Classes() {
		row := -1
		switch {
		case theirs != nil && i < len(names):
			row = slices.Index(theirs, names[i])
		case theirs == nil && classes == n.Classes():
			row = i
		}
		if row >= classes {
			row = -1
		}
		rows = append(rows, row)
	}
	if n.HasNullClass() {
		row := -1
		if null {
			row = have - 1
		}
		rows = append(rows, row)
	}
	return rows
}
