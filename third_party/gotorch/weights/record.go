package weights

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"strconv"

	"github.com/wangkuiyi/gotorch/strictjson"
)

// RecordFormat is the "format" that this version writes, and the highest it reads.
const RecordFormat = 1

// The fields that only [Seal] may write.
const (
	SumField       = "sha256"        // over the tensors' bytes (safetensors), over all other records (pth)
	HeaderSumField = "header_sha256" // over the header (safetensors)
)

// mostFields is more than any version's record has.
const mostFields = 1000

// CheckRecord says what is wrong with a record without its seal. Its errors are [ErrNewerFormat] or [ErrDamaged].
func CheckRecord(record []byte) error {
	members, err := strictjson.Object(record, mostFields)
	if err != nil {
		return fmt.Errorf("%w: record: %w", ErrDamaged, err)
	}
	format := ""
	for _, m := range members {
		switch m.Name {
		case "format":
			format = string(m.Value)
		case SumField, HeaderSumField:
			return fmt.Errorf("%w: record: %q belongs to the file's seal", ErrDamaged, m.Name)
		}
	}
	return checkFormat(format)
}

func checkFormat(format string) error {
	if format == "" {
		return fmt.Errorf("%w: record: no \"format\"", ErrDamaged)
	}
	n, err := strconv.ParseUint(format, 10, 64)
	switch {
	case err == nil && n == RecordFormat:
		return nil
	case err == nil && n == 0, err != nil && !isDigits(format):
		return fmt.Errorf("%w: record: \"format\" is %.40s, not a whole number from 1", ErrDamaged, format)
	}
	return fmt.Errorf("%w: format %.40s, this one reads up to %d", ErrNewerFormat, format, RecordFormat)
}

func isDigits(s string) bool {
	for _, c := range []byte(s) {
		if c < '0' || c > '9' {
			return false
		}
	}
	return s != ""
}

// CheckFormat looks only at the "format" of a record with or without its seal, so that a newer file is named as such
// before anything else about it is judged.
func CheckFormat(record []byte) error {
	members, err := strictjson.Object(record, mostFields)
	if err != nil {
		return fmt.Errorf("%w: record: %w", ErrDamaged, err)
	}
	format := ""
	for _, m := range members {
		if m.Name == "format" {
			format = string(m.Value)
		}
	}
	return checkFormat(format)
}

// Seal appends a digest to a record, as its last field.
func Seal(record []byte, field string, sum []byte) []byte {
	body := bytes.TrimSpace(record)
	return fmt.Appendf(nil, "%s,%q:\"%x\"}", body[:len(body)-1], field, sum)
}

// Unseal takes off what [Seal] appended.
func Unseal(sealed []byte, field string) (record, sum []byte, err error) {
	head := fmt.Sprintf(",%q:\"", field)
	tail := len(head) + 64 + len("\"}")
	at := len(sealed) - tail
	if at < 1 || string(sealed[at:at+len(head)]) != head || string(sealed[len(sealed)-2:]) != "\"}" {
		return nil, nil, fmt.Errorf("%w: record: it does not end in its %s", ErrDamaged, field)
	}
	digits := sealed[at+len(head) : len(sealed)-2]
	sum = make([]byte, 32)
	if _, err := hex.Decode(sum, digits); err != nil || fmt.Sprintf("%x", sum) != string(digits) {
		return nil, nil, fmt.Errorf("%w: record: its %s is not 64 lower-case hex digits", ErrDamaged, field)
	}
	return append(append([]byte(nil), sealed[:at]...), '}'), sum, nil
}
