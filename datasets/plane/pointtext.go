package plane

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"flowmatch/datasets/set"
)

// Lines are at most so long: those of two numbers, and those that have texts beside them.
const longestLine, longestWithTexts = 4096, 64 << 10

// readCSV reads two numbers a line, parted by a comma, a semicolon, a tab or spaces:
// whichever the first line has, in all of them. They may stand in quotes, and where commas
// do not part them have a decimal comma, of which a note tells. Empty lines and lines that
// begin with # are passed over, and so is one line of words at the top. Lines that lack a
// number are passed over and counted. Of more columns than two pick says which are meant. So
// many bytes are expected.
func readCSV(r io.Reader, size int64, pick columns) (points []float64, notes []string, err error) {
	longest := longestLine
	if pick != nil {
		longest = longestWithTexts
	}
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, longest)
	lines.Split(scanLines)
	part := byte(0)
	header := true // it may still come
	var decimal byte
	var lacking lackingPoints
	at, width := [2]int{}, 0 // of the columns, and how many there are
	n := 0
	read := int64(0)
	for lines.Scan() {
		n++
		line := lines.Bytes()
		read += int64(len(line)) + 1
		if n == 1 {
			if what := noText(line); what != nil {
				return nil, nil, what
			}
			line = bytes.TrimPrefix(line, []byte("\xef\xbb\xbf"))
		}
		line = bytes.TrimSpace(line)
		if len(line) == 0 || line[0] == '#' {
			continue
		}
		if part == 0 {
			part = separator(line)
			first := splitAll(line, part)
			if width = len(first); width != 2 && pick == nil {
				return nil, nil, manyColumns(n, first, part)
			}
			named := false
			if at, named, err = pick.among(first); err != nil {
				return nil, nil, err
			}
			if named {
				header = false
				continue
			}
		}
		fields, found := split(line, part, at)
		if found != width {
			return nil, nil, wrongColumns(n, found, width)
		}
		var v [2]float64
		var wrong [2]error
		for k, f := range fields {
			if part != ',' {
				if f, wrong[k] = withPoint(f, &decimal); wrong[k] != nil {
					continue
				}
			}
			v[k], wrong[k] = strconv.ParseFloat(string(f), 64)
			switch {
			case math.IsNaN(v[k]):
				wrong[k] = strconv.ErrSyntax
			case math.Abs(v[k]) > math.MaxFloat32 && !math.IsInf(v[k], 0):
				wrong[k] = strconv.ErrRange
			}
		}
		if header && isWord(wrong[0]) && isWord(wrong[1]) {
			header = false
			decimal = 0
			continue
		}
		header = false
		lacks := -1
		for k, err := range wrong {
			switch {
			case err == nil:
			case isLacking(fields[k]):
				lacks = k
			default:
				return nil, nil, wrongNumber(n, fields[k], err)
			}
		}
		if lacks >= 0 {
			lacking.add(func() string { return lackingNumber(n, at[lacks], fields[lacks]) })
			continue
		}
		if len(points) == 2*mostPoints {
			return nil, nil, fmt.Errorf("more than %d points", mostPoints)
		}
		if len(points) == cap(points) {
			// As many as there will be if the lines to come are as long as those before.
			whole := float64(len(points)+2) * float64(size) / float64(read)
			points = slices.Grow(points, int(min(whole, 2*mostPoints))-len(points)*3/4+64)
		}
		points = append(points, v[0], v[1])
	}
	if errors.Is(lines.Err(), bufio.ErrTooLong) {
		return nil, nil, fmt.Errorf("line %d is longer than %d bytes: not a list of points", n+1, longest)
	}
	if decimal == ',' {
		notes = append(notes, "commas are taken for decimal points")
	}
	note, err := lacking.among(len(points) / 2)
	if err != nil {
		return nil, nil, err
	}
	if note != "" {
		notes = append(notes, note)
	}
	return points, notes, lines.Err()
}

// lackingPoints are those that lack a number.
type lackingPoints struct {
	n     int
	first string // what the first lacks
}

func (l *lackingPoints) add(what func() string) {
	if l.n++; l.n == 1 {
		l.first = what()
	}
}

// lackingOneIn is how many points of a file may lack a number: one in so many.
const lackingOneIn = 10

// among says that points were passed over, or that too many would be, beside so many whole ones.
func (l *lackingPoints) among(whole int) (note string, err error) {
	switch {
	case l.n == 0:
		return "", nil
	case l.n*lackingOneIn > l.n+whole:
		fault := l.first
		if l.n > 1 {
			fault += fmt.Sprintf(", and %d more of %d lack a number", l.n-1, l.n+whole)
		}
		return "", &badPoints{fault: fault, remedy: "leave such points out"}
	}
	return fmt.Sprintf("%d of %d points lack a number and are passed over: %s", l.n, l.n+whole, l.first), nil
}

// isLacking tells what programs write where there is no number.
func isLacking(field []byte) bool {
	switch strings.ToLower(string(field)) {
	case "", "nan", "na", "n/a", "#n/a", "null", "none", "nil", "-", "?", "--":
		return true
	}
	return false
}

func lackingNumber(line, column int, field []byte) string {
	if len(field) == 0 {
		return fmt.Sprintf("line %d: column %d is empty", line, column+1)
	}
	return fmt.Sprintf("line %d: %.40q is no number", line, field)
}

// scanLines is bufio.ScanLines where a line may also end in a carriage return alone.
func scanLines(data []byte, atEOF bool) (advance int, token []byte, err error) {
	end := bytes.IndexByte(data, '\n')
	line := data
	if end >= 0 {
		line = data[:end]
	}
	switch i := bytes.IndexByte(line, '\r'); {
	case i >= 0 && (i+1 < len(data) || atEOF): // the line feed after it is still to be seen
		advance = i + 1
		if i+1 < len(data) && data[i+1] == '\n' {
			advance++
		}
		return advance, data[:i], nil
	case end >= 0:
		return end + 1, line, nil
	case atEOF && len(data) > 0:
		return len(data), data, nil
	}
	return 0, nil, nil
}

// noText tells by the first line of a file that it is no text that is read.
func noText(line []byte) error {
	switch {
	case bytes.HasPrefix(line, []byte("PK\x03\x04")):
		return &badPoints{fault: "a spreadsheet or packed files, no text", remedy: "save its columns as CSV"}
	case bytes.HasPrefix(line, []byte("\xff\xfe")), bytes.HasPrefix(line, []byte("\xfe\xff")):
		return &badPoints{fault: "text in UTF-16", remedy: "save it in UTF-8"}
	case bytes.IndexByte(line, 0) >= 0:
		return &badPoints{fault: "no text", remedy: "save two columns as CSV"}
	}
	return nil
}

var (
	errMixed     = errors.New("points and commas")
	errThousands = errors.New("parted thousands")
)

// withPoint gives a number with a decimal point. One file has all of them, or commas.
func withPoint(field []byte, decimal *byte) ([]byte, error) {
	point, comma := bytes.IndexByte(field, '.'), bytes.IndexByte(field, ',')
	used := byte('.')
	switch {
	case point < 0 && comma < 0:
		return field, nil
	case point >= 0 && comma >= 0, comma != bytes.LastIndexByte(field, ','):
		return nil, errThousands
	case comma >= 0:
		used = ','
		field = slices.Clone(field)
		field[comma] = '.'
	}
	if *decimal == 0 {
		*decimal = used
	}
	if *decimal != used {
		return nil, errMixed
	}
	return field, nil
}

// isWord tells whether a field may be one of a line of words, by what is wrong with it as a number.
func isWord(err error) bool {
	return errors.Is(err, strconv.ErrSyntax) || errors.Is(err, errThousands) || errors.Is(err, errMixed)
}

// manyColumns is what is wrong with a file's first line where it has not two columns.
func manyColumns(line int, first [][]byte, part byte) error {
	n := len(first)
	fault := fmt.Sprintf("line %d: %d %s (%s), not 2", line, n, set.Noun(n, "column"), listed(first))
	switch {
	case n == 4 && part == ',':
		return &badPoints{fault: fault, choose: suggested(first), remedy: "numbers with decimal commas are parted by semicolons or tabs"}
	case n > 2:
		return &badPoints{fault: fault, choose: suggested(first)}
	}
	return errors.New(fault)
}

func wrongColumns(line, columns, width int) error {
	return &badPoints{fault: fmt.Sprintf("line %d: %d %s, not %d", line, columns, set.Noun(columns, "column"), width),
		remedy: "all lines must have as many as the first"}
}

func wrongNumber(line int, field []byte, err error) error {
	number := fmt.Sprintf("line %d: %.40q", line, field)
	switch {
	case errors.Is(err, errThousands), bytes.IndexByte(field, ',') >= 0 && bytes.IndexByte(field, '.') >= 0:
		return &badPoints{fault: number + " is no number", remedy: "write numbers without signs between the thousands"}
	case errors.Is(err, errMixed):
		return &badPoints{fault: number + " has another decimal sign than the lines before", remedy: "write all numbers with points, or all with commas"}
	case errors.Is(err, strconv.ErrRange):
		return &badPoints{fault: number + " is too large", remedy: "numbers have at most 38 digits before the point"}
	}
	return errors.New(number + " is no number")
}

// separator is what parts the columns of a line. A comma beside a tab is no decimal one.
func separator(line []byte) byte {
	has := func(s string) bool { return bytes.Contains(line, []byte(s)) }
	switch {
	case has(";"):
		return ';'
	case has("\t") && !has(",\t") && !has("\t,") && !has(", ") && !has(" ,"):
		return '\t'
	case has(","):
		return ','
	case has("\t"):
		return '\t'
	}
	return ' '
}

// split gives the two columns of a line that are asked for, and how many there are.
func split(line []byte, part byte, at [2]int) (fields [2][]byte, columns int) {
	for more := true; more; columns++ {
		var field []byte
		field, line, more = cutField(line, part)
		for k := range at {
			if at[k] == columns {
				fields[k] = unquoted(field)
			}
		}
	}
	return fields, columns
}

// splitAll gives all columns of a line.
func splitAll(line []byte, part byte) (fields [][]byte) {
	for more := true; more; {
		var field []byte
		field, line, more = cutField(line, part)
		fields = append(fields, bytes.Clone(unquoted(field)))
	}
	return fields
}

// cutField parts a line's first column from the rest. What stands in double quotes may hold
// what parts the others.
func cutField(line []byte, part byte) (field, rest []byte, more bool) {
	line = bytes.TrimLeft(line, " ")
	if end := quotedEnd(line); end > 0 {
		after := bytes.TrimLeft(line[end:], " ")
		switch {
		case len(after) == 0:
			return line[:end], nil, false
		case part == ' ' && len(after) < len(line)-end:
			return line[:end], after, true
		case after[0] == part:
			return line[:end], after[1:], true
		}
	}
	end, after := bytes.IndexByte(line, part), 1
	if part == ' ' { // any spaces, any number of them
		end = bytes.IndexFunc(line, unicode.IsSpace)
		if end >= 0 {
			after = len(line[end:]) - len(bytes.TrimSpace(line[end:]))
		}
	}
	if end < 0 {
		return bytes.TrimSpace(line), nil, false
	}
	return bytes.TrimSpace(line[:end]), line[end+after:], true
}

// quotedEnd is the place behind the quotes that a line begins with, 0 where it begins with
// none. A quote within is written twice.
func quotedEnd(line []byte) int {
	if len(line) == 0 || line[0] != '"' {
		return 0
	}
	for i := 1; i < len(line); i++ {
		switch {
		case line[i] != '"':
		case i+1 < len(line) && line[i+1] == '"':
			i++
		default:
			return i + 1
		}
	}
	return 0
}

// unquoted is a field without the quotes that it may stand in.
func unquoted(field []byte) []byte {
	last := len(field) - 1
	if last > 0 && (field[0] == '"' || field[0] == '\'') && field[last] == field[0] {
		return bytes.TrimSpace(field[1:last])
	}
	return field
}
