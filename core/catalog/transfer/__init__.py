"""What is transferred in bulk, and how it is told from what was made here.

| file | knows |
|---|---|
| `transfer` | the four nouns below as one |
| `transferred_bank`, `transferred_exchange`, `transferred_ratio` | things with a key there |
| `origin` | which of them is which thing there, and its state there when last written |
| `transferred_content` | content in bulk: writing, comparing, counting |
| `content_state` | all that is kept of one content, as one value with a digest |
| `content_writer` | content in bulk as rows |
| `ids` | ids kept free for what is still to be transferred |
"""
