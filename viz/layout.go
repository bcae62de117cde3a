package viz

import (
	"fmt"
	"math"
	"slices"
)

// Layout says which sample is shown where.
type Layout struct {
	Columns [][]int  // the samples of each column, from top to bottom
	Labels  []string // a word above each column; nil for none
}

// ByClass has one column for each class that occurs in y, in the order of the
// classes, with at most rows samples each (0: no limit), headed by its name. Where
// names has none for a class, its number stands.
func ByClass(y []int64, names []string, rows int) Layout {
	columns := map[int64][]int{}
	var classes []int64
	for i, class := range y {
		column, seen := columns[class]
		if !seen {
			classes = append(classes, class)
		}
		if rows <= 0 || len(column) < rows {
			columns[class] = append(column, i)
		}
	}
	slices.Sort(classes)
	var l Layout
	for _, class := range classes {
		l.Columns = append(l.Columns, columns[class])
		label := fmt.Sprint(class)
		if class >= 0 && class < int64(len(names)) {
			label = names[class]
		}
		l.Labels = append(l.Labels, label)
	}
	return l
}

// Square shows n samples row by row in a block about as wide as high, at most 10
// columns and 10 rows of them.
func Square(n int) Layout {
	n = min(n, 100)
	wide := int(math.Ceil(math.Sqrt(float64(n))))
	l := Layout{Columns: make([][]int, wide)}
	for i := range n {
		l.Columns[i%wide] = append(l.Columns[i%wide], i)
	}
	return l
}

// size is the number of columns and rows.
func (l Layout) size() (columns, rows int) {
	for _, c := range l.Columns {
		rows = max(rows, len(c))
	}
	return len(l.Columns), rows
}

// check says what makes the layout impossible for n samples.
func (l Layout) check(n int) error {
	columns, rows := l.size()
	if columns == 0 || rows == 0 {
		return fmt.Errorf("viz: no samples to show")
	}
	if l.Labels != nil && len(l.Labels) != columns {
		return fmt.Errorf("viz: %d labels for %d columns", len(l.Labels), columns)
	}
	for _, c := range l.Columns {
		for _, i := range c {
			if i < 0 || i >= n {
				return fmt.Errorf("viz: the layout asks for sample %d of %d", i, n)
			}
		}
	}
	return nil
}
