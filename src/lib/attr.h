/* attr - compiler attributes under names that say what they ask for. */
#ifndef LIB_ATTR_H
#define LIB_ATTR_H

#define MUST_CHECK __attribute__((warn_unused_result))
#define PRINTF_LIKE(fmt, args) __attribute__((format(printf, fmt, args)))

#endif
