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
	"unicode"

	"flowmatch/datasets/set"
)

// readCSV reads two numbers a line, parted by a comma, a semicolon, a tab or spaces:
// whichever the first line has, in all of them. They may stand in quotes, and where commas
// do not part them have a decimal comma, of which the note tells. Empty lines and lines that
// begin with # are passed over, and so is one line of words at the top. So many bytes are
// expected.
func readCSV(r io.Reader, size int64) (points []float64, note string, err error) {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 4096)
	lines.Split(scanLines)
	part := byte(0)
	header := true // it may still come
	var decimal byte
	n := 0
	read := int64(0)
	for lines.Scan() {
		n++
		line := lines.Bytes()
		read += int64(len(line)) + 1
		if n == 1 {
			if what := noText(line); what != nil {
				return nil, "", what
			}
			line = bytes.TrimPrefix(line, []byte("\xef\xbb\xbf"))
		}
		line = bytes.TrimSpace(line)
		if len(line) == 0 || line[0] == '#' {
			continue
		}
		if part == 0 {
			part = separator(line)
		}
		fields, columns := split(line, part)
		if columns != 2 {
			return nil, "", wrongColumns(n, columns, part)
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
			if math.Abs(v[k]) > math.MaxFloat32 && !math.IsInf(v[k], 0) {
				wrong[k] = strconv.ErrRange
			}
		}
		if header && isWord(wrong[0]) && isWord(wrong[1]) {
			header = false
			decimal = 0
			continue
		}
		header = false
		for k, err := range wrong {
			if err != nil {
				return nil, "", wrongNumber(n, k, fields[k], err)
			}
		}
		if len(points) == 2*mostPoints {
			return nil, "", fmt.Errorf("more than %d points", mostPoints)
		}
		if len(points) == cap(points) {
			// As many as there will be if the lines to come are as long as those before.
			whole := float64(len(points)+2) * float64(size) / float64(read)
			points = slices.Grow(points, int(min(whole, 2*mostPoints))-len(points)*3/4+64)
		}
		points = append(points, v[0], v[1])
	}
	if errors.Is(lines.Err(), bufio.ErrTooLong) {
		return nil, "", fmt.Errorf("line %d is longer than 4096 bytes: not a list of points", n+1)
	}
	if decimal == ',' {
		note = "commas are taken for decimal points"
	}
	return points, note, lines.Err()
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
		return &badPoints{"a spreadsheet or packed files, no text", "save its two columns as CSV"}
	case bytes.HasPrefix(line, []byte("\xff\xfe")), bytes.HasPrefix(line, []byte("\xfe\xff")):
		return &badPoints{"text in UTF-16", "save it in UTF-8"}
	case bytes.IndexByte(line, 0) >= 0:
		return &badPoints{"no text", "save two columns as CSV"}
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

func wrongColumns(line, columns int, part byte) error {
	fault := fmt.Sprintf("line %d: %d %s, not 2", line, columns, set.Noun(columns, "column"))
	switch {
	case columns == 4 && part == ',':
		return &badPoints{fault, "keep the two that are to be learnt; numbers with decimal commas are parted by semicolons or tabs"}
	case columns > 2:
		return &badPoints{fault, "keep the two that are to be learnt"}
	}
	return errors.New(fault)
}

func wrongNumber(line, column int, field []byte, err error) error {
	number := fmt.Sprintf("line %d: %.40q", line, field)
	switch {
	case len(field) == 0:
		return &badPoints{fmt.Sprintf("line %d: column %d is empty", line, column+1), "leave such lines out"}
	case errors.Is(err, errThousands), bytes.IndexByte(field, ',') >= 0 && bytes.IndexByte(field, '.') >= 0:
		return &badPoints{number + " is no number", "write numbers without signs between the thousands"}
	case errors.Is(err, errMixed):
		return &badPoints{number + " has another decimal sign than the lines before", "write all numbers with points, or all with commas"}
	case errors.Is(err, strconv.ErrRange):
		return &badPoints{number + " is too large", "numbers have at most 38 digits before the point"}
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

// split gives the first two columns of a line, and how many there are.
func split(line []byte, part byte) (fields [2][]byte, columns int) {
	for more := true; more; columns++ {
		end, after := bytes.IndexByte(line, part), 1
		if part == ' ' { // any spaces, any number of them
			end = bytes.IndexFunc(line, unicode.IsSpace)
			if end >= 0 {
				after = len(line[end:]) - len(bytes.TrimSpace(line[end:]))
			}
		}
		field := line
		if more = end >= 0; more {
			field, line = line[:end], line[end+after:]
		}
		if columns < len(fields) {
			fields[columns] = unquoted(bytes.TrimSpace(field))
		}
	}
	return fields, columns
}

// unquoted is a field without the quotes that it may stand in.
func unquoted(field []byte) []byte {
	last := len(field) - 1
	if last > 0 && (field[0] == '"' || field[0] == '\'') && field[last] == field[0] {
		return bytes.TrimSpace(field[1:last])
	}
	return field
}
