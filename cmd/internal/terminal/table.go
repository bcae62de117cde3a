package terminal

import "strings"

// Column is one of a table.
type Column struct {
	Group string // over this column and those beside it of the same one; may be empty
	Title string
	Right bool // numbers stand at the right
}

// name is that of a value that stands alone.
func (c Column) name() string {
	if c.Group == "" {
		return c.Title
	}
	return c.Group + ", " + c.Title
}

// Table is rows of values. Where a page is too narrow for it, it becomes a list.
type Table struct {
	Indent  int
	Columns []Column
	Rows    [][]string
	// Line is a row of the list; nil: the first value, and the others with their names
	// under it.
	Line func(row []string) string
}

// gap is the columns between two of a table.
const gap = 2

// Table adds a table.
func (p *Page) Table(t Table) {
	widths := t.widths()
	whole := t.Indent - gap
	for _, w := range widths {
		whole += gap + w
	}
	if p.width > 0 && whole > p.width {
		for _, row := range t.Rows {
			if t.Line != nil {
				p.wrapped(t.Indent, t.Indent+4, t.Line(row))
			} else {
				p.block(t, row)
			}
		}
		return
	}
	var titles []string
	named := false
	for _, c := range t.Columns {
		titles = append(titles, c.Title)
		named = named || c.Title != ""
	}
	if groups := t.groups(widths); groups != "" {
		p.b.WriteString(groups + "\n")
	}
	if named {
		p.cells(t, widths, titles)
	}
	for _, row := range t.Rows {
		p.cells(t, widths, row)
	}
}

// widths are those of the columns; the last one of a group is as wide as the group's name
// needs.
func (t Table) widths() []int {
	widths := make([]int, len(t.Columns))
	for k, c := range t.Columns {
		widths[k] = columnsOf(c.Title)
		for _, row := range t.Rows {
			widths[k] = max(widths[k], columnsOf(row[k]))
		}
	}
	for k := 0; k < len(t.Columns); {
		end, whole := t.group(k, widths)
		widths[end-1] += max(0, columnsOf(t.Columns[k].Group)-whole)
		k = end
	}
	return widths
}

// group is where the columns of column k's group end, and how wide they are.
func (t Table) group(k int, widths []int) (end, whole int) {
	whole = widths[k]
	for end = k + 1; t.Columns[k].Group != "" && end < len(t.Columns) && t.Columns[end].Group == t.Columns[k].Group; end++ {
		whole += gap + widths[end]
	}
	return end, whole
}

// groups is the line of the groups' names, or "".
func (t Table) groups(widths []int) string {
	line, some := strings.Repeat(" ", t.Indent), false
	for k := 0; k < len(t.Columns); {
		end, whole := t.group(k, widths)
		name := t.Columns[k].Group
		some = some || name != ""
		line += right(name, whole) + strings.Repeat(" ", gap)
		k = end
	}
	if !some {
		return ""
	}
	return strings.TrimRight(line, " ")
}

func (p *Page) cells(t Table, widths []int, row []string) {
	line := strings.Repeat(" ", t.Indent)
	for k, text := range row {
		if p.ascii {
			text = asciiSigns.Replace(text)
		}
		if t.Columns[k].Right {
			text = right(text, widths[k])
		} else {
			text += strings.Repeat(" ", max(0, widths[k]-columnsOf(text)))
		}
		line += text + strings.Repeat(" ", gap)
	}
	p.b.WriteString(strings.TrimRight(line, " ") + "\n")
}

// block is a row as a list.
func (p *Page) block(t Table, row []string) {
	p.wrapped(t.Indent, t.Indent+4, row[0])
	longest, most := 0, 0
	for k, c := range t.Columns[1:] {
		longest, most = max(longest, columnsOf(c.name())), max(most, columnsOf(row[1+k]))
	}
	left := t.Indent + 2
	for k, c := range t.Columns[1:] {
		name, value := c.name(), row[1+k]
		switch {
		case value == "":
		case name == "":
			p.wrapped(left, left+2, value)
		case left+longest+gap+most <= p.width:
			p.wrapped(left, left+2, name+strings.Repeat(keep, longest-columnsOf(name)+gap)+value)
		default:
			p.wrapped(left, left+2, name+": "+value)
		}
	}
}
