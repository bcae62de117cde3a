// The transforms of Winograd's algorithm F(4x4,3x3), of rows and then of columns. Part of
// winograd_loops.h.
//
// A row of 4 outputs is the product of two polynomials, backwards: it is computed from their
// values at 0, a, -a, b, -b and infinity. Of pairs of short numbers between 1/2 and 2 these
// have the least errors: 1.4e-6 of the output with 256 inputs, where 1 and 2 have 2.9e-6.
namespace {

constexpr float a = 0.625f, b = 1.5f, a2 = a * a, b2 = b * b;
// What weights are divided by, for the products of the distances between points.
constexpr float by_0 = 1 / (a2 * b2), by_a = 1 / (2 * a2 * (a2 - b2)),
                by_b = 1 / (2 * b2 * (b2 - a2));

// f(row of 6 or 4 or 3, row of as many as it makes) for each column of from: [F,n], then for
// each row of what these make: -> to: [T,T].
template <int from_side, int to_side, class F>
GT_FN void both_ways(const Floats *from, Floats *to, F f) {
  Floats t[from_side * to_side];  // [T,F]
  for (int i = 0; i < from_side; i++) f(from + i, from_side, t + i, from_side);
  for (int i = 0; i < to_side; i++) f(t + i * from_side, 1, to + i * to_side, 1);
}

// B' d: of 6 numbers 6.
GT_FN void inputs(const Floats *d, int64_t s, Floats *to, int64_t t) {
  Floats even_a = d[4 * s] - b2 * d[2 * s], odd_a = d[3 * s] - b2 * d[s];
  Floats even_b = d[4 * s] - a2 * d[2 * s], odd_b = d[3 * s] - a2 * d[s];
  to[0] = a2 * b2 * d[0] + (d[4 * s] - (a2 + b2) * d[2 * s]);
  to[t] = even_a + a * odd_a;
  to[2 * t] = even_a - a * odd_a;
  to[3 * t] = even_b + b * odd_b;
  to[4 * t] = even_b - b * odd_b;
  to[5 * t] = a2 * b2 * d[s] + (d[5 * s] - (a2 + b2) * d[3 * s]);
}

// A' m: of 6 numbers 4.
GT_FN void outputs(const Floats *m, int64_t s, Floats *to, int64_t t) {
  Floats even_a = m[s] + m[2 * s], odd_a = m[s] - m[2 * s];
  Floats even_b = m[3 * s] + m[4 * s], odd_b = m[3 * s] - m[4 * s];
  to[0] = m[0] + (even_a + even_b);
  to[t] = a * odd_a + b * odd_b;
  to[2 * t] = a2 * even_a + b2 * even_b;
  to[3 * t] = m[5 * s] + (a * a2 * odd_a + b * b2 * odd_b);
}

// A dy: of 4 numbers 6.
GT_FN void gradients(const Floats *dy, int64_t s, Floats *to, int64_t t) {
  Floats even_a = dy[0] + a2 * dy[2 * s], odd_a = dy[s] + a2 * dy[3 * s];
  Floats even_b = dy[0] + b2 * dy[2 * s], odd_b = dy[s] + b2 * dy[3 * s];
  to[0] = dy[0];
  to[t] = even_a + a * odd_a;
  to[2 * t] = even_a - a * odd_a;
  to[3 * t] = even_b + b * odd_b;
  to[4 * t] = even_b - b * odd_b;
  to[5 * t] = dy[3 * s];
}

// G g: of 3 numbers 6.
GT_FN void filters(const Floats *g, int64_t s, Floats *to, int64_t t) {
  Floats even_a = by_a * g[0] + by_a * a2 * g[2 * s], odd_a = by_a * a * g[s];
  Floats even_b = by_b * g[0] + by_b * b2 * g[2 * s], odd_b = by_b * b * g[s];
  to[0] = by_0 * g[0];
  to[t] = even_a + odd_a;
  to[2 * t] = even_a - odd_a;
  to[3 * t] = even_b + odd_b;
  to[4 * t] = even_b - odd_b;
  to[5 * t] = g[2 * s];
}

// G' u: of 6 numbers 3.
GT_FN void gathered(const Floats *u, int64_t s, Floats *to, int64_t t) {
  Floats even_a = by_a * (u[s] + u[2 * s]), odd_a = by_a * a * (u[s] - u[2 * s]);
  Floats even_b = by_b * (u[3 * s] + u[4 * s]), odd_b = by_b * b * (u[3 * s] - u[4 * s]);
  to[0] = by_0 * u[0] + (even_a + even_b);
  to[t] = odd_a + odd_b;
  to[2 * t] = u[5 * s] + (a2 * even_a + b2 * even_b);
}

}  // namespace
