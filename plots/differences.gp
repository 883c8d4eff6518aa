# The difference of each variant to the baseline with its 95 % interval, a panel for each quantity.
# data: one block a quantity: row, place of the difference on the axis, of both ends of its interval, colour, symbol;
# difference, ends, variant.  panel_low[], panel_high[], panel_ticks[]: the axes; panel_rows[]: rows
eval frame
eval panels_begin
do for [p=1:panels] {
  eval sides
  set border 1
  unset ytics
  set xrange [panel_low[p]:panel_high[p]]
  set yrange [panel_rows[p]-0.5:-0.5]
  eval 'set xtics '.panel_ticks[p]
  set arrow 1 from first 0, graph 0 to first 0, graph 1 nohead lc rgb gray dt 2 lw 1.5
  plot data index (p-1) using 2:1:3:4:5 with xerrorbars pt 0 lw 1.5 lc rgb variable, \
    data index (p-1) using 2:1:6:5 with points pt variable ps 0.9 lc rgb variable
  eval panels_next
}
eval panels_end
