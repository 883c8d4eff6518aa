# The variants of a sweep by its axes: one goes from left to right, one is colours, the others make panels.
# by_rows 0: the first axis is made of numbers. data: one block a line: value on the axis, figure, error, both ends of the
# bar; those that lie on another come after the drawn ones.  label[]: what the variants of a line share
# by_rows 1: it is made of names, a row each. data: one block a panel: row, figure, both ends of the bar, colour, symbol,
# place of the name, name, variant
eval frame
shifted(x, i) = x_logarithmic ? x*dodge[i+1] : x+dodge[i+1]
eval panels_begin
do for [p=1:panels] {
  if (by_rows) {
    eval sides
    set yrange [rows-0.5:-0.5]
    set xrange [x_low:x_high]
    if (x_logarithmic) { set logscale x }
    eval 'set xtics '.x_ticks
    unset ytics
    set grid noytics
    set border 1
    plot data index (p-1) using 2:1:3:4:5 with xerrorbars pt 0 lw 1.2 lc rgb variable, \
      data index (p-1) using 2:1:6:5 with points pt variable ps 0.8 lc rgb variable
  } else {
    eval panel
    plot for [i=panel_first[p]:panel_last[p]] data index i using (shifted($1, i)):2 with lines lt type[i+1] lw 1.4, \
      for [i=panel_first[p]:panel_last[p]] data index i using (shifted($1, i)):4:(0):($5 > $4 ? $5-$4 : NaN) @bars lt type[i+1], \
      for [i=panel_first[p]:panel_last[p]] data index i using (shifted($1, i)):2 with points lt type[i+1] ps (panels > 1 ? 0.5 : 0.8)
  }
  eval panels_next
}
eval panels_end
