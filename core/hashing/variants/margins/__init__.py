"""Where, within a picture, another one may begin, told by what margins have.

| file | knows |
|---|---|
| `find_margins` | all guesses, the likeliest first |
| `bands` | margins of one colour, words in them or not |
| `blurred_sides` | margins without detail |
| `steps` | rectangles along whose sides neighbouring pixels differ |
| `growing` | rectangles with something all over them, on what is empty |
| `sharpen` | the sides of a rectangle, to a fraction of a pixel |
| `box` | rectangles, and how small one may be |
"""
