# Two axes of a sweep as a map. data: middle of a cell (x, y), its left, right, top and bottom, in pixels from the upper
# left corner; colour, text, colour of the text, the value, the variant
eval frame
unset border
unset tics
unset grid
set xrange [left:right]
set yrange [bottom:top]
set style fill solid 1 noborder
plot data using 1:2:3:4:5:6:7 with boxxyerror lc rgb variable, \
  data using 1:2:8:9 with labels center font sprintf(',%g', cell_size) textcolor rgb variable
