package page

import (
	"net/http/httptest"
	"os"
	"testing"
	"time"
)

// TestReadmePicture takes README's picture of the page, viz/testdata/page.png: the models
// that are part of the program, with a few paths, before the end of the way.
// What is below the time is cut off, and the colours made 256, by hand.
func TestReadmePicture(t *testing.T) {
	path := os.Getenv("FLOWMATCH_README_PICTURE")
	if path == "" {
		t.Skip("FLOWMATCH_README_PICTURE=FILE takes it")
	}
	b := startChromium(t, findChromium(t), func(message) {})
	web := httptest.NewServer(newServer(t, Options{OutputDir: t.TempDir()}).Handler())
	t.Cleanup(web.CloseClientConnections)
	p := b.open()
	p.size(1180, 700, "light")
	p.do("Page.navigate", params{"url": web.URL + "/#flow"})
	time.Sleep(6 * time.Second) // the film, and the field at all times
	at := func(t string) {
		p.eval("(() => { const e = document.querySelector('.stage input[type=range]'); e.value = " + t + "; e.dispatchEvent(new Event('input')); document.activeElement?.blur(); })()")
		time.Sleep(time.Second)
	}
	at("0")
	box := p.eval("(() => { const b = document.querySelector('.plane canvas').getBoundingClientRect(); return [b.x, b.y, b.width]; })()").([]any)
	for _, drop := range [][2]float64{{.50, .42}, {.66, .45}, {.52, .52}, {.40, .55}, {.575, .60}} {
		x, y := box[0].(float64)+drop[0]*box[2].(float64), box[1].(float64)+drop[1]*box[2].(float64)
		p.mouse("mousePressed", x, y)
		p.mouse("mouseReleased", x, y)
	}
	time.Sleep(time.Second)
	at("0.8")
	p.screenshot(path)
}
